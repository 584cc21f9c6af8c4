using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Backup.TestServers.Aws;

namespace Backup.TestServers.CodeArtifact;

/// <summary>The service's API. Shapes: the service's model of 2018-09-22; what is asked for is in the query string, even with POST.</summary>
internal sealed class CodeArtifactApi(CodeArtifactState state, string domain, string owner, int pageSize, Func<Uri> endpoint)
{
    public AwsAnswer Answer(AwsRequest request)
    {
        var query = request.Query;
        if (query.GetValueOrDefault("domain") != domain || (query.GetValueOrDefault("domain-owner") ?? owner) != owner)
            return NotFound("domain", $"Domain {query.GetValueOrDefault("domain")} not found in account {query.GetValueOrDefault("domain-owner") ?? owner}.");
        if (query.TryGetValue("repository", out var repository) && state.Packages(repository) is null)
            return NotFound("repository", $"Repository {repository} not found.");
        return (request.Method, request.RawPath) switch
        {
            ("POST", "/v1/authorization-token") => Json(new() { ["authorizationToken"] = CodeArtifactServer.Token, ["expiration"] = DateTimeOffset.UtcNow.AddHours(12).ToUnixTimeMilliseconds() / 1000.0 }),
            ("GET", "/v1/repository/endpoint") => Json(new() { ["repositoryEndpoint"] = $"{endpoint()}d/{domain}/{query["format"]}/{query["repository"]}/" }),
            ("POST", "/v1/domain/repositories") => Page(query, state.Repositories, "repositories", name => new JsonObject { ["name"] = name, ["domainName"] = domain, ["domainOwner"] = owner, ["administratorAccount"] = owner }),
            ("POST", "/v1/packages") => ListPackages(query),
            ("GET", "/v1/package") => WithPackage(query, (name, package) => Json(new() { ["package"] = Describe(name, package, "name") })),
            ("POST", "/v1/package") => PutOrigin(request, query),
            ("POST", "/v1/package/versions") => WithPackage(query, (name, package) => ListVersions(query, package)),
            ("POST", "/v1/package/version/assets") => WithVersion(query, (_, version) => ListAssets(query, version)),
            ("GET", "/v1/package/version/asset") => WithVersion(query, (name, version) => GetAsset(query, version)),
            ("GET", "/v1/package/version") => WithVersion(query, (name, version) => Json(new() { ["packageVersion"] = Describe(name, query["version"], version) })),
            ("POST", "/v1/package/versions/update_status") => WithPackage(query, (_, package) => UpdateStatus(request.Json, package)),
            ("POST", "/v1/package/versions/delete") => Delete(request.Json, query),
            ("POST", "/v1/package/version/publish") => PublishGeneric(request, query),
            _ => AwsAnswer.Error(404, "UnknownOperationException", request.Operation),
        };
    }

    private static PackageName Name(IReadOnlyDictionary<string, string> query) => new(query["format"], query.GetValueOrDefault("namespace"), query["package"]);

    private AwsAnswer WithPackage(IReadOnlyDictionary<string, string> query, Func<PackageName, Package, AwsAnswer> answer) =>
        state.Find(query["repository"], Name(query)) is { } package ? answer(Name(query), package) : NotFound("package", $"Package {query["package"]} not found.");

    private AwsAnswer WithVersion(IReadOnlyDictionary<string, string> query, Func<PackageName, PackageVersion, AwsAnswer> answer) => WithPackage(
        query, (name, package) => package.Versions.TryGetValue(query["version"], out var version) ? answer(name, version) : NotFound("package-version", $"Package version {query["version"]} not found."));

    private AwsAnswer ListPackages(IReadOnlyDictionary<string, string> query) => Page(
        query,
        [.. state.Packages(query["repository"])!
            .Where(p => query.GetValueOrDefault("format") is not { } format || p.Key.Format == format)
            // Documented as a prefix.
            .Where(p => query.GetValueOrDefault("namespace") is not { } start || (p.Key.Namespace ?? "").StartsWith(start, StringComparison.Ordinal))
            .Where(p => query.GetValueOrDefault("package-prefix") is not { } start || p.Key.Name.StartsWith(start, StringComparison.Ordinal))
            .OrderBy(p => p.Key.Namespace, StringComparer.Ordinal).ThenBy(p => p.Key.Name, StringComparer.Ordinal)],
        "packages",
        p => Describe(p.Key, p.Value, "package"));

    private AwsAnswer ListVersions(IReadOnlyDictionary<string, string> query, Package package) => Page(
        query,
        [.. package.Versions.Where(v => query.GetValueOrDefault("status") is not { } status || v.Value.Status == status)],
        "versions",
        v => new JsonObject { ["version"] = v.Key, ["revision"] = v.Value.Revision, ["status"] = v.Value.Status, ["origin"] = new JsonObject { ["originType"] = "INTERNAL" } });

    private AwsAnswer ListAssets(IReadOnlyDictionary<string, string> query, PackageVersion version) => Page(
        query,
        [.. version.Assets],
        "assets",
        a => new JsonObject { ["name"] = a.Key, ["size"] = a.Value.Bytes.LongLength, ["hashes"] = new JsonObject(a.Value.Hashes.Select(h => KeyValuePair.Create(h.Key, (JsonNode?)h.Value))) },
        new() { ["version"] = query["version"], ["versionRevision"] = version.Revision });

    private static AwsAnswer GetAsset(IReadOnlyDictionary<string, string> query, PackageVersion version)
    {
        if (query.GetValueOrDefault("revision") is { } revision && revision != version.Revision)
            return AwsAnswer.Error(409, "ConflictException", "The package version revision is not the current one.");
        if (!version.IsDownloadable)
            return AwsAnswer.Error(404, "ResourceNotFoundException", $"The package version is {version.Status}.");
        return version.Assets.TryGetValue(query["asset"], out var asset)
            ? new AwsAnswer { Body = asset.Bytes, ContentType = "application/octet-stream" }
                .With("X-AssetName", Uri.EscapeDataString(query["asset"])).With("X-PackageVersion", query["version"]).With("X-PackageVersionRevision", version.Revision)
            : NotFound("asset", $"Asset {query["asset"]} not found.");
    }

    // All or nothing, as the service does it today.
    private static AwsAnswer UpdateStatus(JsonElement body, Package package)
    {
        string[] wanted = [.. body.GetProperty("versions").EnumerateArray().Select(v => v.GetString()!)];
        var (failed, target) = (new JsonObject(), body.GetProperty("targetStatus").GetString()!);
        foreach (var name in wanted)
        {
            if (!package.Versions.TryGetValue(name, out var version))
                failed[name] = Error("NOT_FOUND");
            else if (body.TryGetProperty("expectedStatus", out var expected) && expected.GetString() != version.Status)
                failed[name] = Error("MISMATCHED_STATUS");
            else if (body.TryGetProperty("versionRevisions", out var revisions) && revisions.TryGetProperty(name, out var revision) && revision.GetString() != version.Revision)
                failed[name] = Error("MISMATCHED_REVISION");
            else if (version.Status == "Disposed" || target is not ("Published" or "Unlisted" or "Archived"))
                failed[name] = Error("NOT_ALLOWED");
        }

        var done = new JsonObject();
        foreach (var name in wanted)
        {
            if (failed.Count > 0)
            {
                failed.TryAdd(name, Error("SKIPPED"));
                continue;
            }

            package.Versions[name].Status = target;
            done[name] = new JsonObject { ["revision"] = package.Versions[name].Revision, ["status"] = target };
        }

        return Json(new() { ["successfulVersions"] = done, ["failedVersions"] = failed });
    }

    private AwsAnswer Delete(JsonElement body, IReadOnlyDictionary<string, string> query)
    {
        var (done, failed) = (new JsonObject(), new JsonObject());
        foreach (var version in body.GetProperty("versions").EnumerateArray().Select(v => v.GetString()!))
        {
            if (state.Delete(query["repository"], Name(query), version))
                done[version] = new JsonObject { ["status"] = "Deleted" };
            else
                failed[version] = Error("NOT_FOUND");
        }

        return Json(new() { ["successfulVersions"] = done, ["failedVersions"] = failed });
    }

    private AwsAnswer PutOrigin(AwsRequest request, IReadOnlyDictionary<string, string> query)
    {
        var package = state.Ensure(query["repository"], Name(query));
        package.Publish = request.Json.GetProperty("restrictions").GetProperty("publish").GetString()!;
        return Json(new() { ["originConfiguration"] = Describe(Name(query), package, "name")["originConfiguration"]!.DeepClone() });
    }

    private AwsAnswer PublishGeneric(AwsRequest request, IReadOnlyDictionary<string, string> query)
    {
        if (query["format"] != "generic")
            return AwsAnswer.Json("""{"message":"Only generic packages are published by this operation.","reason":"FIELD_VALIDATION_FAILED"}""", 400).With("x-amzn-ErrorType", "ValidationException");
        var package = state.Ensure(query["repository"], Name(query));
        if (package.Publish == "BLOCK")
            return AwsAnswer.Error(409, "ConflictException", "Publishing is blocked by the package's origin configuration.");
        var version = package.Ensure(query["version"]);
        if (version.Assets.TryGetValue(query["asset"], out var known) && !known.Bytes.AsSpan().SequenceEqual(request.Body))
            return AwsAnswer.Error(409, "ConflictException", "The asset exists with another content.");
        if (known is null)
            version.Add(query["asset"], request.Body);
        if (query.GetValueOrDefault("unfinished") != "true")
            version.Status = "Published";
        return Json(new() { ["version"] = query["version"], ["versionRevision"] = version.Revision, ["status"] = version.Status });
    }

    private static JsonObject Describe(PackageName name, Package package, string nameMember) => new()
    {
        ["format"] = name.Format,
        ["namespace"] = name.Namespace,
        [nameMember] = name.Name,
        ["originConfiguration"] = new JsonObject { ["restrictions"] = new JsonObject { ["publish"] = package.Publish, ["upstream"] = "BLOCK" } },
    };

    private static JsonObject Describe(PackageName name, string version, PackageVersion found) => new()
    {
        ["format"] = name.Format,
        ["namespace"] = name.Namespace,
        ["packageName"] = name.Name,
        ["displayName"] = name.Name,
        ["version"] = version,
        ["publishedTime"] = found.Published.ToUnixTimeMilliseconds() / 1000.0,
        ["licenses"] = new JsonArray(),
        ["revision"] = found.Revision,
        ["status"] = found.Status,
        ["origin"] = new JsonObject { ["originType"] = "INTERNAL" },
    };

    private AwsAnswer Page<T>(IReadOnlyDictionary<string, string> query, IReadOnlyList<T> all, string member, Func<T, JsonObject> write, JsonObject? answer = null)
    {
        var start = query.TryGetValue("next-token", out var token) ? int.Parse(token.Split('/')[1], CultureInfo.InvariantCulture) : 0;
        var size = Math.Min(pageSize, query.TryGetValue("max-results", out var asked) ? int.Parse(asked, CultureInfo.InvariantCulture) : 50);
        answer ??= [];
        answer[member] = new JsonArray([.. all.Skip(start).Take(size).Select(write)]);
        if (start + size < all.Count)
            answer["nextToken"] = $"t/{start + size}/=";
        return Json(answer);
    }

    private static JsonObject Error(string code) => new() { ["errorCode"] = code, ["errorMessage"] = code };

    // Types: the model's ResourceType (domain, repository, package, package-version, asset).
    private static AwsAnswer NotFound(string type, string message) => AwsAnswer.Json(new JsonObject { ["message"] = message, ["resourceType"] = type }.ToJsonString(), 404).With("x-amzn-ErrorType", "ResourceNotFoundException");

    private static AwsAnswer Json(JsonObject body) => AwsAnswer.Json(body.ToJsonString()) with { ContentType = "application/json" };
}
