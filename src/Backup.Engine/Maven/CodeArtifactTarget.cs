using System.Net;
using System.Text;
using Backup.Engine.Aws.CodeArtifact;
using Backup.Engine.Http;
using Backup.Engine.Stores;
using Microsoft.Extensions.Logging;

namespace Backup.Engine.Maven;

/// <summary>
/// A CodeArtifact repository as a target. Maven's assets go through the repository's own Maven endpoint, as a build tool would send them: assets, then metadata,
/// which finishes the version, then the status it had. Generic packages go through the API. Other formats need their own clients.
/// </summary>
internal sealed class CodeArtifactTarget(IObjectStore store, CodeArtifactSource source, MavenRestoreOptions options) : IPackageTarget
{
    private static readonly TimeSpan TokenMargin = TimeSpan.FromMinutes(5);

    private readonly HttpSender _http = new(new() { AnswerTimeout = TimeSpan.FromHours(1), Time = options.Store.Time, Logger = options.Logger });
    private readonly SemaphoreSlim _gate = new(1);
    private string? _endpoint;
    private string? _token;
    private DateTimeOffset _expires;

    /// <inheritdoc/>
    public string Name => $"{options.Domain}/{options.Repository}";

    /// <inheritdoc/>
    public async Task CheckAsync(PackageVersionId any, CancellationToken cancellationToken)
    {
        var id = Target(any);
        _endpoint = (await source.Client.GetRepositoryEndpointAsync(id.RepositoryReference, id.Format, cancellationToken)).RepositoryEndpoint!.TrimEnd('/') + "/";
    }

    /// <inheritdoc/>
    public async Task<Outcome> PublishAsync(RestoredVersion version, bool whatIf, CancellationToken cancellationToken)
    {
        if (version.Id.Format is not (PackageVersionId.Maven or "generic"))
            throw new BackupException(FailureKind.NotSupported, $"{version.Id} cannot be published here: CodeArtifact takes {version.Id.Format} only from its own client.", "Restore the run as files with Restore-BackupRun, then publish them with that client.");
        var id = Target(version.Id);
        var (missing, status) = await CompareAsync(id, version, cancellationToken);
        if (missing.Count == 0 && status == version.Status)
            return Outcome.Unchanged;
        if (whatIf)
            return Outcome.Skipped;
        if (id.Format == PackageVersionId.Maven)
            await PublishMavenAsync(id, version, missing, cancellationToken);
        else
            await PublishGenericAsync(id, missing, cancellationToken);
        await SetStatusAsync(id, version.Status, cancellationToken);
        await VerifyAsync(id, version, cancellationToken);
        return Outcome.Completed;
    }

    /// <inheritdoc/>
    public Task FinishPackageAsync(IReadOnlyList<RestoredVersion> published, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private PackageVersionId Target(PackageVersionId id) => id with
    {
        Domain = options.Domain ?? id.Domain,
        DomainOwner = options.DomainOwner ?? (options.Domain is null || options.Domain == id.Domain ? id.DomainOwner : null),
        Repository = options.Repository ?? id.Repository,
    };

    // The service writes metadata itself, so only what a publisher made has to be what it was.
    private static IEnumerable<StoredAsset> Published(RestoredVersion version) => version.Manifest.Assets.Where(asset => asset.Name != MavenMetadata.FileName);

    private async Task<(IReadOnlyList<StoredAsset> Missing, string? Status)> CompareAsync(PackageVersionId id, RestoredVersion version, CancellationToken cancellationToken)
    {
        var there = await source.FindAssetsAsync(id, cancellationToken);
        if (there is null)
            return ([.. Published(version)], null);
        var hashes = there.Assets.ToDictionary(asset => asset.Name, asset => asset.Hashes, StringComparer.Ordinal);
        var missing = new List<StoredAsset>();
        foreach (var asset in Published(version))
        {
            if (!hashes.TryGetValue(asset.Name, out var known) || known is null)
                missing.Add(asset);
            else if (AssetHashes.Difference(asset.Hashes, known) is { } hash)
                throw Conflict(id, asset.Name, hash);
        }

        return (missing, (await source.DescribeAsync(id, cancellationToken))?.Status);
    }

    private async Task PublishMavenAsync(PackageVersionId id, RestoredVersion version, IReadOnlyList<StoredAsset> missing, CancellationToken cancellationToken)
    {
        var snapshot = id.SnapshotVersion ?? (id.Version.EndsWith("-SNAPSHOT", StringComparison.Ordinal) ? id.Version : null);
        var directory = (id with { Version = snapshot ?? id.Version }).Path;
        // The pom last: a version with one looks whole to a build.
        foreach (var asset in missing.OrderBy(asset => asset.Name.EndsWith(".pom", StringComparison.Ordinal)).ThenBy(asset => asset.Name, StringComparer.Ordinal))
            await PutAsync(id, directory + asset.Name, () => new StoredContent(store, asset), cancellationToken);

        var metadata = version.Manifest.Assets.FirstOrDefault(asset => asset.Name == MavenMetadata.FileName);
        if (id.SnapshotBuild is not null)
        {
            // A build is finished by the metadata of its snapshot, which names it as the newest.
            var made = MavenMetadata.ForSnapshot(id, snapshot!, version.Manifest.Assets.Select(asset => asset.Name), options.Store.Time.GetUtcNow());
            await PutAsync(id, directory + MavenMetadata.FileName, () => Bytes(made), cancellationToken);
        }
        else if (metadata is not null)
        {
            await PutMetadataAsync(id, snapshot is null ? PackagePath(id) : directory, metadata, cancellationToken);
        }
    }

    // Without it the status is set all the same, so that this is no reason to fail.
    private async Task PutMetadataAsync(PackageVersionId id, string directory, StoredAsset metadata, CancellationToken cancellationToken)
    {
        try
        {
            await PutAsync(id, directory + MavenMetadata.FileName, () => new StoredContent(store, metadata), cancellationToken);
        }
        catch (BackupException exception) when (exception.Kind is FailureKind.InvalidInput or FailureKind.AlreadyExists)
        {
            options.Logger?.LogWarning("The metadata of {Version} was not taken: {Reason}", id, exception.Message);
        }
    }

    private async Task PublishGenericAsync(PackageVersionId id, IReadOnlyList<StoredAsset> missing, CancellationToken cancellationToken)
    {
        for (var i = 0; i < missing.Count; i++)
        {
            // The signature covers the content, so it has to be read twice: from a file, however large it is.
            await using var file = new FileStream(Path.Combine(Path.GetTempPath(), $"AtlassianBackup-{Guid.NewGuid():N}"), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, 1 << 16, FileOptions.DeleteOnClose | FileOptions.Asynchronous);
            await using (var content = await StoredContent.OpenAsync(store, missing[i], cancellationToken))
                await content.CopyToAsync(file, cancellationToken);
            file.Position = 0;
            await source.Client.PublishPackageVersionAsync(id.Reference, id.Version, missing[i].Name, file, missing[i].Sha256!, unfinished: i < missing.Count - 1, cancellationToken);
        }
    }

    private async Task SetStatusAsync(PackageVersionId id, string status, CancellationToken cancellationToken)
    {
        var now = await source.DescribeAsync(id, cancellationToken) ?? throw new BackupException(FailureKind.NotFound, $"{id} is not in {Name} after it was published.", "Somebody deletes there at the same time. Run again.");
        if (now.Status == status)
            return;
        var answer = await source.Client.UpdatePackageVersionsStatusAsync(id.Reference, new() { Versions = [id.Version], ExpectedStatus = now.Status, TargetStatus = status }, cancellationToken);
        if (answer.FailedVersions is { Count: > 0 } failed)
            throw new BackupException(FailureKind.InvalidInput, $"The status of {id} in {Name} is {now.Status}, and could not be set to {status} ({failed.First().Value.ErrorCode}).", "Set it with 'aws codeartifact update-package-versions-status'.");
    }

    private async Task VerifyAsync(PackageVersionId id, RestoredVersion version, CancellationToken cancellationToken)
    {
        var there = await source.FindAssetsAsync(id, cancellationToken);
        var hashes = there?.Assets.ToDictionary(asset => asset.Name, asset => asset.Hashes, StringComparer.Ordinal) ?? [];
        foreach (var asset in Published(version))
        {
            if (!hashes.TryGetValue(asset.Name, out var known) || known is null || AssetHashes.Difference(asset.Hashes, known) is not null)
                throw new BackupException(FailureKind.ChecksumMismatch, $"{asset.Name} of {id} in {Name} is not what was published.", "Run again; where it happens again, delete that version there first.");
        }
    }

    private async Task PutAsync(PackageVersionId id, string path, Func<HttpContent> content, CancellationToken cancellationToken)
    {
        var token = await SignInAsync(id, cancellationToken);
        var address = new Uri(_endpoint + string.Join('/', path.Split('/').Select(Uri.EscapeDataString)));
        using var response = await _http.SendAsync(
            () =>
            {
                var request = new HttpRequestMessage(HttpMethod.Put, address) { Content = content() };
                request.Headers.Authorization = new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"aws:{token}")));
                return request;
            },
            cancellationToken: cancellationToken);
        if (response.IsSuccessStatusCode)
            return;
        if (response.StatusCode is HttpStatusCode.Forbidden or HttpStatusCode.Conflict && await IsBlockedAsync(id, cancellationToken))
            throw Blocked(id);
        if (response.StatusCode == HttpStatusCode.Conflict)
            throw Conflict(id, path[(path.LastIndexOf('/') + 1)..], "content");
        throw await HttpFailure.OfAsync(response, $"'{path}' in {Name}", cancellationToken: cancellationToken);
    }

    private async Task<bool> IsBlockedAsync(PackageVersionId id, CancellationToken cancellationToken)
    {
        try
        {
            return (await source.Client.DescribePackageAsync(id.Reference, cancellationToken)).Package?.OriginConfiguration?.Restrictions?.Publish == "BLOCK";
        }
        catch (BackupException)
        {
            // It only explains a failure that is known already.
            return false;
        }
    }

    private BackupException Blocked(PackageVersionId id) => new(
        FailureKind.PermissionDenied,
        $"{id} cannot be published to {Name}: the package's origin control blocks publishing, because its versions came from an upstream repository.",
        $"Allow it: aws codeartifact put-package-origin-configuration --domain {id.Domain} --repository {id.Repository} --format {id.Format} --namespace {id.Namespace} --package {id.Package} --restrictions publish=ALLOW,upstream=BLOCK. Or restore to a repository without upstreams.");

    private BackupException Conflict(PackageVersionId id, string asset, string what) => new(
        FailureKind.AlreadyExists,
        $"{asset} of {id} is in {Name} already, with another {what}.",
        "Nothing of it was changed. Restore to another repository, or delete that version there first.");

    private async Task<string> SignInAsync(PackageVersionId id, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            if (_token is null || _expires - TokenMargin < options.Store.Time.GetUtcNow())
            {
                var answer = await source.Client.GetAuthorizationTokenAsync(id.Domain, id.DomainOwner, null, cancellationToken);
                (_token, _expires) = (answer.AuthorizationToken, answer.Expiration ?? options.Store.Time.GetUtcNow().AddMinutes(15));
            }

            return _token!;
        }
        finally
        {
            _gate.Release();
        }
    }

    private static string PackagePath(PackageVersionId id) => id.Path[..^(id.Version.Length + 1)];

    private static ByteArrayContent Bytes(byte[] bytes) => new(bytes);
}
