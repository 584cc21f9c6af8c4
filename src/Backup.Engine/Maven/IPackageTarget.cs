namespace Backup.Engine.Maven;

/// <summary>A version to publish.</summary>
/// <param name="Manifest">Its revision, as it was backed up.</param>
/// <param name="Status">The status that it gets.</param>
internal sealed record RestoredVersion(RevisionManifest Manifest, string Status)
{
    public PackageVersionId Id => Manifest.Id;
}

/// <summary>Where packages are restored to.</summary>
internal interface IPackageTarget : IDisposable
{
    /// <summary>What users call it.</summary>
    string Name { get; }

    /// <summary>Sees that there is such a place, before anything is sent or compared.</summary>
    Task CheckAsync(PackageVersionId any, CancellationToken cancellationToken);

    /// <summary>Publishes a version, or says that it is there already: <see cref="Outcome.Completed"/>, <see cref="Outcome.Unchanged"/>, or <see cref="Outcome.Skipped"/> where nothing was to be written.</summary>
    /// <exception cref="BackupException"><see cref="FailureKind.AlreadyExists"/> where other bytes are there under the same name.</exception>
    Task<Outcome> PublishAsync(RestoredVersion version, bool whatIf, CancellationToken cancellationToken);

    /// <summary>Called when all versions of a package that could be published have been.</summary>
    Task FinishPackageAsync(IReadOnlyList<RestoredVersion> published, CancellationToken cancellationToken);
}
