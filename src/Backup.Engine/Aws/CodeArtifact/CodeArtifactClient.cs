using System.Globalization;
using System.Text.Json;
using Backup.Engine.Aws.Api;

namespace Backup.Engine.Aws.CodeArtifact;

/// <summary>
/// AWS CodeArtifact: the operations that the module uses, named as the AWS SDK names them. None of them looks at upstream repositories:
/// what is listed is what the repository itself holds.
/// </summary>
internal sealed class CodeArtifactClient : IDisposable
{
    /// <summary>The service.</summary>
    public static AwsService Service { get; } = new("codeartifact", "codeartifact", "2018-09-22");

    private readonly AwsApiClient _api;

    /// <summary>Creates the client; nothing is contacted yet.</summary>
    public CodeArtifactClient(AwsClientOptions options) => _api = AwsApiClient.Create(Service, options);

    /// <summary>The region that requests are signed for.</summary>
    public string Region => _api.Region;

    /// <summary>The packages of a repository.</summary>
    public IAsyncEnumerable<PackageSummary> ListPackagesAsync(ListPackagesRequest request, CancellationToken cancellationToken = default) => Paging.ReadAsync(
        (token, stop) => _api.RestAsync(
            "ListPackages",
            Of("POST", "/v1/packages", request.Repository)
                .With("format", request.Format)
                .With("namespace", request.Namespace)
                .With("package-prefix", request.PackagePrefix)
                .With("max-results", request.MaxResults.ToString(CultureInfo.InvariantCulture))
                .With("next-token", token),
            CodeArtifactJson.Default.ListPackagesResponse,
            stop),
        page => page.Packages,
        page => page.NextToken,
        cancellationToken);

    /// <summary>A package, and from where it may get versions.</summary>
    public Task<DescribePackageResponse> DescribePackageAsync(PackageReference package, CancellationToken cancellationToken = default) =>
        _api.RestAsync("DescribePackage", Of("GET", "/v1/package", package), CodeArtifactJson.Default.DescribePackageResponse, cancellationToken);

    /// <summary>The versions of a package, in every status unless one is given.</summary>
    public IAsyncEnumerable<PackageVersionSummary> ListPackageVersionsAsync(PackageReference package, string? status = null, CancellationToken cancellationToken = default) => Paging.ReadAsync(
        (token, stop) => _api.RestAsync(
            "ListPackageVersions",
            Of("POST", "/v1/package/versions", package).With("status", status).With("max-results", "1000").With("next-token", token),
            CodeArtifactJson.Default.ListPackageVersionsResponse,
            stop),
        page => page.Versions,
        page => page.NextToken,
        cancellationToken);

    /// <summary>One page of a version's assets; they belong to the revision that the page names.</summary>
    public Task<ListPackageVersionAssetsResponse> ListPackageVersionAssetsAsync(PackageReference package, string packageVersion, string? nextToken = null, CancellationToken cancellationToken = default) => _api.RestAsync(
        "ListPackageVersionAssets",
        Of("POST", "/v1/package/version/assets", package).With("version", packageVersion).With("max-results", "1000").With("next-token", nextToken),
        CodeArtifactJson.Default.ListPackageVersionAssetsResponse,
        cancellationToken);

    /// <summary>An asset's bytes, of one revision. Where the version has moved on it is a ConflictException.</summary>
    public async Task<GetPackageVersionAssetResponse> GetPackageVersionAssetAsync(PackageReference package, string packageVersion, string asset, string? packageVersionRevision = null, CancellationToken cancellationToken = default) => new(
        await _api.RestStreamAsync(
            "GetPackageVersionAsset",
            Of("GET", "/v1/package/version/asset", package).With("version", packageVersion).With("asset", asset).With("revision", packageVersionRevision),
            cancellationToken));

    /// <summary>What a version says of itself.</summary>
    public Task<DescribePackageVersionResponse> DescribePackageVersionAsync(PackageReference package, string packageVersion, CancellationToken cancellationToken = default) =>
        _api.RestAsync("DescribePackageVersion", Of("GET", "/v1/package/version", package).With("version", packageVersion), CodeArtifactJson.Default.DescribePackageVersionResponse, cancellationToken);

    /// <summary>A token for the repositories' own protocols. A root user gets none.</summary>
    /// <param name="domain">The domain.</param>
    /// <param name="domainOwner">Its owner, or null.</param>
    /// <param name="duration">15 minutes to 12 hours; null for as long as the caller's own keys last.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public Task<GetAuthorizationTokenResponse> GetAuthorizationTokenAsync(string domain, string? domainOwner = null, TimeSpan? duration = null, CancellationToken cancellationToken = default) => _api.RestAsync(
        "GetAuthorizationToken",
        new RestCall("POST", "/v1/authorization-token").With("domain", domain).With("domain-owner", domainOwner).With("duration", ((long?)duration?.TotalSeconds)?.ToString(CultureInfo.InvariantCulture)),
        CodeArtifactJson.Default.GetAuthorizationTokenResponse,
        cancellationToken);

    /// <summary>Where a format's own protocol is spoken.</summary>
    public Task<GetRepositoryEndpointResponse> GetRepositoryEndpointAsync(RepositoryReference repository, string format, CancellationToken cancellationToken = default) =>
        _api.RestAsync("GetRepositoryEndpoint", Of("GET", "/v1/repository/endpoint", repository).With("format", format), CodeArtifactJson.Default.GetRepositoryEndpointResponse, cancellationToken);

    /// <summary>Sets the status of versions: of all of them, or of none.</summary>
    public Task<UpdatePackageVersionsStatusResponse> UpdatePackageVersionsStatusAsync(PackageReference package, UpdatePackageVersionsStatusRequest request, CancellationToken cancellationToken = default) => _api.RestAsync(
        "UpdatePackageVersionsStatus",
        Of("POST", "/v1/package/versions/update_status", package) with { Json = JsonSerializer.SerializeToUtf8Bytes(request, CodeArtifactJson.Default.UpdatePackageVersionsStatusRequest) },
        CodeArtifactJson.Default.UpdatePackageVersionsStatusResponse,
        cancellationToken);

    /// <summary>Publishes one asset of a version. The service takes the format generic only.</summary>
    /// <param name="package">The package.</param>
    /// <param name="packageVersion">The version.</param>
    /// <param name="assetName">The asset's name.</param>
    /// <param name="assetContent">Its bytes; seekable, so that they can be sent again.</param>
    /// <param name="assetSha256">Their SHA-256, in hexadecimal.</param>
    /// <param name="unfinished">More assets follow.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public Task<PublishPackageVersionResponse> PublishPackageVersionAsync(
        PackageReference package, string packageVersion, string assetName, Stream assetContent, string assetSha256, bool unfinished, CancellationToken cancellationToken = default) => _api.RestAsync(
        "PublishPackageVersion",
        Of("POST", "/v1/package/version/publish", package).With("version", packageVersion).With("asset", assetName).With("unfinished", unfinished ? "true" : null) with
        {
            Body = assetContent,
            Headers = new(StringComparer.Ordinal) { ["x-amz-content-sha256"] = assetSha256 },
        },
        CodeArtifactJson.Default.PublishPackageVersionResponse,
        cancellationToken);

    /// <inheritdoc/>
    public void Dispose() => _api.Dispose();

    private static RestCall Of(string method, string path, RepositoryReference repository) =>
        new RestCall(method, path).With("domain", repository.Domain).With("domain-owner", repository.DomainOwner).With("repository", repository.Repository);

    private static RestCall Of(string method, string path, PackageReference package) =>
        Of(method, path, package.Repository).With("format", package.Format).With("namespace", package.Namespace).With("package", package.Package);
}
