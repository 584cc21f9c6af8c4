using System.Runtime.CompilerServices;
using Backup.Engine.Aws;
using Backup.Engine.Aws.Api;
using Backup.Engine.Aws.CodeArtifact;
using Microsoft.Extensions.Logging;

namespace Backup.Engine.Maven;

/// <summary>A version as the repository lists it.</summary>
internal sealed record ListedVersion(PackageVersionId Id, string Status, string? Revision);

/// <summary>The assets of one revision.</summary>
internal sealed record RevisionAssets(string Revision, IReadOnlyList<AssetSummary> Assets);

/// <summary>CodeArtifact as a source of packages, kept below the rates that the service documents.</summary>
internal sealed class CodeArtifactSource : IDisposable
{
    /// <summary>Asset requests a second; the service allows an account 50.</summary>
    public const double DefaultRequestRate = 40;

    // https://docs.aws.amazon.com/codeartifact/latest/ug/service-limits.html, less a fifth.
    private const double ListShare = 4;
    private const int Attempts = 8;

    private readonly RateLimit _assets;
    private readonly RateLimit _others;

    public CodeArtifactSource(AwsOptions aws, double requestRate, TimeProvider time, ILogger? logger)
    {
        _assets = new(requestRate, time);
        _others = new(requestRate * ListShare, time);
        Client = new(new()
        {
            Aws = aws,
            Logger = logger,
            Time = time,
            MaxAttempts = Attempts,
            Rates = operation => operation is "GetPackageVersionAsset" ? _assets : _others,
        });
    }

    public CodeArtifactClient Client { get; }

    /// <summary>The assets of a version's current revision; null where there is no such version.</summary>
    public async Task<RevisionAssets?> FindAssetsAsync(PackageVersionId id, CancellationToken cancellationToken)
    {
        var assets = new List<AssetSummary>();
        string? token = null, revision = null;
        do
        {
            ListPackageVersionAssetsResponse page;
            try
            {
                page = await Client.ListPackageVersionAssetsAsync(id.Reference, id.Version, token, cancellationToken);
            }
            catch (AwsServiceException exception) when (IsGone(exception))
            {
                return null;
            }

            // It moved on between two pages: what was read belongs to nothing.
            if (revision is not null && page.VersionRevision != revision)
                throw new BackupException(FailureKind.ChangedWhileRead, $"{id} changed while its assets were listed.", "Run again.");
            revision = page.VersionRevision;
            assets.AddRange(page.Assets ?? []);
            token = page.NextToken;
        }
        while (token is { Length: > 0 });
        return new(revision ?? "", assets);
    }

    /// <summary>A version's description; null where there is none.</summary>
    public async Task<PackageVersionDescription?> DescribeAsync(PackageVersionId id, CancellationToken cancellationToken)
    {
        try
        {
            return (await Client.DescribePackageVersionAsync(id.Reference, id.Version, cancellationToken)).PackageVersion;
        }
        catch (AwsServiceException exception) when (IsGone(exception))
        {
            return null;
        }
    }

    // Of a repository that cannot be found nothing is known of its packages: least of all that they are gone.
    private static bool IsGone(AwsServiceException exception) => exception is { Kind: FailureKind.NotFound, Reason: not ("domain" or "repository") };

    /// <summary>Every version of a package.</summary>
    public async IAsyncEnumerable<ListedVersion> VersionsAsync(PackageVersionId anyVersion, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var version in Client.ListPackageVersionsAsync(anyVersion.Reference, null, cancellationToken))
            yield return new(anyVersion with { Version = version.Version }, version.Status, version.Revision);
    }

    /// <inheritdoc/>
    public void Dispose() => Client.Dispose();
}
