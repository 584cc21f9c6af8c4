using System.Text.Json.Serialization;
using Backup.Engine.Aws.Api;

namespace Backup.Engine.Aws.CodeArtifact;

// Names and members are those of the AWS SDK (model of 2018-09-22): https://docs.aws.amazon.com/codeartifact/latest/APIReference/.
// What is asked for travels in the query string, even with POST.

/// <summary>A package's repository. An account's own domains need no owner.</summary>
internal sealed record RepositoryReference
{
    public required string Domain { get; init; }

    public string? DomainOwner { get; init; }

    public required string Repository { get; init; }
}

/// <summary>A package, or a version of it.</summary>
internal sealed record PackageReference
{
    public required RepositoryReference Repository { get; init; }

    /// <summary>maven, npm, nuget, pypi, generic …</summary>
    public required string Format { get; init; }

    /// <summary>Maven's group, npm's scope; null where the format has none.</summary>
    public string? Namespace { get; init; }

    public required string Package { get; init; }
}

internal sealed record ListPackagesRequest
{
    public required RepositoryReference Repository { get; init; }

    public string? Format { get; init; }

    /// <summary>What the namespace begins with.</summary>
    public string? Namespace { get; init; }

    public string? PackagePrefix { get; init; }

    /// <summary>1,000 where it is not given, which is also the most.</summary>
    public int MaxResults { get; init; } = 1000;
}

internal sealed record ListPackagesResponse
{
    public IReadOnlyList<PackageSummary>? Packages { get; init; }

    public string? NextToken { get; init; }
}

internal sealed record PackageSummary
{
    public string? Format { get; init; }

    public string? Namespace { get; init; }

    public string? Package { get; init; }

    public PackageOriginConfiguration? OriginConfiguration { get; init; }
}

internal sealed record PackageOriginConfiguration
{
    public PackageOriginRestrictions? Restrictions { get; init; }
}

internal sealed record PackageOriginRestrictions
{
    /// <summary>ALLOW or BLOCK.</summary>
    public string? Publish { get; init; }

    /// <summary>ALLOW or BLOCK.</summary>
    public string? Upstream { get; init; }
}

internal sealed record DescribePackageResponse
{
    public PackageDescription? Package { get; init; }
}

internal sealed record PackageDescription
{
    public string? Format { get; init; }

    public string? Namespace { get; init; }

    public string? Name { get; init; }

    public PackageOriginConfiguration? OriginConfiguration { get; init; }
}

internal sealed record ListPackageVersionsResponse
{
    public string? DefaultDisplayVersion { get; init; }

    public IReadOnlyList<PackageVersionSummary>? Versions { get; init; }

    public string? NextToken { get; init; }
}

internal sealed record PackageVersionSummary
{
    public required string Version { get; init; }

    public string? Revision { get; init; }

    /// <summary>Published, Unfinished, Unlisted, Archived, Disposed or Deleted.</summary>
    public required string Status { get; init; }

    public PackageVersionOrigin? Origin { get; init; }
}

internal sealed record PackageVersionOrigin
{
    public DomainEntryPoint? DomainEntryPoint { get; init; }

    /// <summary>INTERNAL, EXTERNAL or UNKNOWN.</summary>
    public string? OriginType { get; init; }
}

internal sealed record DomainEntryPoint
{
    public string? RepositoryName { get; init; }

    public string? ExternalConnectionName { get; init; }
}

internal sealed record ListPackageVersionAssetsResponse
{
    public IReadOnlyList<AssetSummary>? Assets { get; init; }

    public string? VersionRevision { get; init; }

    public string? NextToken { get; init; }
}

internal sealed record AssetSummary
{
    public required string Name { get; init; }

    public long? Size { get; init; }

    /// <summary>By algorithm, MD5, SHA-1, SHA-256 and SHA-512, in hexadecimal.</summary>
    public IReadOnlyDictionary<string, string>? Hashes { get; init; }
}

/// <summary>An asset's bytes as they arrive. Whoever gets it disposes of it.</summary>
internal sealed record GetPackageVersionAssetResponse(AwsApiStream Asset) : IAsyncDisposable
{
    public string? AssetName => Header("X-AssetName");

    public string? PackageVersion => Header("X-PackageVersion");

    public string? PackageVersionRevision => Header("X-PackageVersionRevision");

    public ValueTask DisposeAsync() => Asset.DisposeAsync();

    private string? Header(string name) => Asset.Headers.GetValueOrDefault(name);
}

internal sealed record DescribePackageVersionResponse
{
    public PackageVersionDescription? PackageVersion { get; init; }
}

internal sealed record PackageVersionDescription
{
    public string? Format { get; init; }

    public string? Namespace { get; init; }

    public string? PackageName { get; init; }

    public string? DisplayName { get; init; }

    public string? Version { get; init; }

    public string? Summary { get; init; }

    public string? HomePage { get; init; }

    public string? SourceCodeRepository { get; init; }

    public DateTimeOffset? PublishedTime { get; init; }

    public IReadOnlyList<LicenseInfo>? Licenses { get; init; }

    public string? Revision { get; init; }

    public string? Status { get; init; }

    public PackageVersionOrigin? Origin { get; init; }
}

internal sealed record LicenseInfo
{
    public string? Name { get; init; }

    public string? Url { get; init; }
}

// Not a record: a record prints its members.
internal sealed class GetAuthorizationTokenResponse
{
    public string? AuthorizationToken { get; init; }

    public DateTimeOffset? Expiration { get; init; }
}

internal sealed record GetRepositoryEndpointResponse
{
    public string? RepositoryEndpoint { get; init; }
}

internal sealed record UpdatePackageVersionsStatusRequest
{
    /// <summary>At most 100.</summary>
    public required IReadOnlyList<string> Versions { get; init; }

    /// <summary>By version: the revision that it has to be at.</summary>
    public IReadOnlyDictionary<string, string>? VersionRevisions { get; init; }

    public string? ExpectedStatus { get; init; }

    public required string TargetStatus { get; init; }
}

internal sealed record UpdatePackageVersionsStatusResponse
{
    public IReadOnlyDictionary<string, SuccessfulPackageVersionInfo>? SuccessfulVersions { get; init; }

    public IReadOnlyDictionary<string, PackageVersionError>? FailedVersions { get; init; }
}

internal sealed record SuccessfulPackageVersionInfo
{
    public string? Revision { get; init; }

    public string? Status { get; init; }
}

internal sealed record PackageVersionError
{
    /// <summary>ALREADY_EXISTS, MISMATCHED_REVISION, MISMATCHED_STATUS, NOT_ALLOWED, NOT_FOUND or SKIPPED.</summary>
    public string? ErrorCode { get; init; }

    public string? ErrorMessage { get; init; }
}

internal sealed record PublishPackageVersionResponse
{
    public string? Version { get; init; }

    public string? VersionRevision { get; init; }

    public string? Status { get; init; }

    public AssetSummary? Asset { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, Converters = [typeof(EpochSecondsConverter)])]
[JsonSerializable(typeof(ListPackagesResponse))]
[JsonSerializable(typeof(DescribePackageResponse))]
[JsonSerializable(typeof(ListPackageVersionsResponse))]
[JsonSerializable(typeof(ListPackageVersionAssetsResponse))]
[JsonSerializable(typeof(DescribePackageVersionResponse))]
[JsonSerializable(typeof(GetAuthorizationTokenResponse))]
[JsonSerializable(typeof(GetRepositoryEndpointResponse))]
[JsonSerializable(typeof(UpdatePackageVersionsStatusRequest))]
[JsonSerializable(typeof(UpdatePackageVersionsStatusResponse))]
[JsonSerializable(typeof(PublishPackageVersionResponse))]
internal sealed partial class CodeArtifactJson : JsonSerializerContext;
