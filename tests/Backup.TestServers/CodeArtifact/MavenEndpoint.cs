using System.Security.Cryptography;
using System.Text;
using System.Xml;
using System.Xml.Linq;
using Backup.TestServers.Aws;

namespace Backup.TestServers.CodeArtifact;

/// <summary>
/// The Maven repository of a CodeArtifact repository, with the service's rules: what is published is Unfinished until metadata lists it, the same bytes again
/// are fine and others are a conflict, a checksum that is not the asset's blocks the metadata, and a snapshot's build becomes Unlisted.
/// Source: https://docs.aws.amazon.com/codeartifact/latest/ug/maven-curl.html, maven-snapshots.html, maven-checksums.html.
/// </summary>
internal sealed class MavenEndpoint(CodeArtifactState state)
{
    private const string MetadataFile = "maven-metadata.xml";

    public AwsAnswer Answer(AwsRequest request, string repository, string[] path)
    {
        if (!IsAuthorized(request))
            return Text(401, "Unauthorized").With("WWW-Authenticate", "Basic realm=\"codeartifact\"");
        if (state.Packages(repository) is null)
            return Text(404, $"Repository {repository} not found.");
        if (path.Length < 3)
            return Text(400, "Not a Maven path.");
        return request.Method switch
        {
            "PUT" => Put(repository, path, request.Body),
            "GET" => Get(repository, path),
            "HEAD" => Get(repository, path) with { Body = [] },
            _ => Text(405, "Method not allowed."),
        };
    }

    private static bool IsAuthorized(AwsRequest request)
    {
        var header = request.Headers.GetValueOrDefault("authorization", "");
        return header == $"Bearer {CodeArtifactServer.Token}" || header == "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"aws:{CodeArtifactServer.Token}"));
    }

    private AwsAnswer Put(string repository, string[] path, byte[] body)
    {
        var (file, algorithm) = Checksum(path[^1]);
        var isMetadata = file == MetadataFile;
        var ofVersion = !isMetadata || path[^2].EndsWith(Snapshots.Suffix, StringComparison.Ordinal);
        var directory = ofVersion ? path[..^2] : path[..^1];
        if (directory.Length < 2)
            return Text(400, "Not a Maven path.");
        var name = new PackageName("maven", string.Join('.', directory[..^1]), directory[^1]);
        if (algorithm is not null)
            return PutChecksum(repository, name, ofVersion ? path[^2] : null, file, algorithm, Encoding.ASCII.GetString(body).Trim());
        var package = state.Ensure(repository, name);
        if (package.Publish == "BLOCK")
            return Text(403, "Publishing new package versions is blocked by the package origin configuration.");
        return !isMetadata ? PutAsset(package, name, path[^2], file, body) : ofVersion ? PutSnapshotMetadata(package, name, path[^2], body) : PutMetadata(package, body);
    }

    private static AwsAnswer PutAsset(Package package, PackageName name, string directory, string file, byte[] body)
    {
        var versionName = directory;
        if (directory.EndsWith(Snapshots.Suffix, StringComparison.Ordinal))
        {
            if (Snapshots.BuildOf(name.Name, directory, file) is not { } build)
                return Text(400, "Only unique snapshots are supported.");
            versionName = build;
        }

        var version = package.Ensure(versionName);
        if (version.Status is "Archived" or "Disposed")
            return Text(409, $"The package version is {version.Status}.");
        if (version.Assets.TryGetValue(file, out var known))
            return known.Bytes.AsSpan().SequenceEqual(body) ? Text(200, "") : Text(409, $"Asset {file} already exists with another content.");
        if (version.Assets.Count >= 150)
            return Text(402, "A package version has at most 150 assets.");
        version.Add(file, body);
        return Text(200, "");
    }

    private AwsAnswer PutChecksum(string repository, PackageName name, string? directory, string file, string algorithm, string claimed)
    {
        var package = state.Find(repository, name);
        var version = directory is null ? null : Version(package, name, directory, file);
        var bytes = version?.Assets.GetValueOrDefault(file)?.Bytes ?? (file == MetadataFile ? package?.Metadata : null);
        if (bytes is null)
            return Text(404, $"Asset {file} not found.");
        // Case matters.
        if (Hash(bytes, algorithm) == claimed)
            return Text(200, "");
        version?.Mismatched.Add(file);
        return Text(400, $"The {algorithm} of {file} does not match.");
    }

    private static AwsAnswer PutMetadata(Package package, byte[] body)
    {
        if (Read(body) is not { } metadata)
            return Text(400, "Not Maven metadata.");
        package.Metadata = body;
        foreach (var name in metadata.Descendants("version").Select(v => v.Value))
        {
            if (!package.Versions.TryGetValue(name, out var version) || version.Status != "Unfinished")
                continue;
            if (version.Mismatched.Count > 0)
                return Text(400, $"Checksums of {string.Join(", ", version.Mismatched)} do not match.");
            version.Add(MetadataFile, body);
            version.Status = "Published";
            version.Published = DateTimeOffset.UtcNow;
        }

        return Text(200, "");
    }

    // The snapshot is what its newest build is; the build itself is hidden.
    private static AwsAnswer PutSnapshotMetadata(Package package, PackageName name, string snapshot, byte[] body)
    {
        if (Read(body) is not { } metadata)
            return Text(400, "Not Maven metadata.");
        var newest = metadata.Descendants("snapshotVersion").Select(v => v.Element("value")?.Value).FirstOrDefault(v => v is not null)
            ?? (metadata.Descendants("snapshot").FirstOrDefault() is { } s ? $"{snapshot[..^Snapshots.Suffix.Length]}-{s.Element("timestamp")?.Value}-{s.Element("buildNumber")?.Value}" : null);
        if (newest is null || !package.Versions.TryGetValue(newest, out var build))
            return Text(400, $"There is no build {newest}.");
        if (build.Mismatched.Count > 0)
            return Text(400, $"Checksums of {string.Join(", ", build.Mismatched)} do not match.");
        build.Status = "Unlisted";
        var version = package.Ensure(snapshot);
        version.Assets.Clear();
        foreach (var (file, asset) in build.Assets)
            version.Add(file, asset.Bytes);
        version.Add(MetadataFile, body);
        version.Status = "Published";
        version.Published = DateTimeOffset.UtcNow;
        _ = name;
        return Text(200, "");
    }

    private AwsAnswer Get(string repository, string[] path)
    {
        var (file, algorithm) = Checksum(path[^1]);
        byte[]? bytes = null;
        if (file == MetadataFile)
            bytes = state.Find(repository, new("maven", string.Join('.', path[..^2]), path[^2]))?.Metadata;
        if (bytes is null && path.Length > 3)
        {
            var name = new PackageName("maven", string.Join('.', path[..^3]), path[^3]);
            if (Version(state.Find(repository, name), name, path[^2], file) is { IsDownloadable: true } version)
                bytes = version.Assets.GetValueOrDefault(file)?.Bytes;
        }

        return bytes is null ? Text(404, $"{file} not found.")
            : algorithm is not null ? Text(200, Hash(bytes, algorithm))
            : new AwsAnswer { Body = bytes, ContentType = "application/octet-stream" };
    }

    private static PackageVersion? Version(Package? package, PackageName name, string directory, string file) =>
        package?.Versions.GetValueOrDefault(directory.EndsWith(Snapshots.Suffix, StringComparison.Ordinal) && Snapshots.BuildOf(name.Name, directory, file) is { } build ? build : directory);

    private static (string File, string? Algorithm) Checksum(string file)
    {
        var dot = file.LastIndexOf('.');
        return dot > 0 && file[(dot + 1)..] is "md5" or "sha1" or "sha256" or "sha512" ? (file[..dot], file[(dot + 1)..]) : (file, null);
    }

    private static string Hash(byte[] bytes, string algorithm) => Convert.ToHexStringLower(algorithm switch
    {
        "md5" => MD5.HashData(bytes),
        "sha1" => SHA1.HashData(bytes),
        "sha256" => SHA256.HashData(bytes),
        _ => SHA512.HashData(bytes),
    });

    private static XDocument? Read(byte[] body)
    {
        try
        {
            using var stream = new MemoryStream(body);
            return XDocument.Load(stream);
        }
        catch (XmlException)
        {
            return null;
        }
    }

    private static AwsAnswer Text(int status, string text) => new() { Status = status, ContentType = "text/plain", Body = Encoding.UTF8.GetBytes(text) };
}
