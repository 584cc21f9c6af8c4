using System.Security.Cryptography;
using System.Text.RegularExpressions;

namespace Backup.TestServers.CodeArtifact;

/// <summary>What a CodeArtifact domain holds. Statuses and revisions: https://docs.aws.amazon.com/codeartifact/latest/ug/packages-overview.html.</summary>
public sealed class CodeArtifactState
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Dictionary<PackageName, Package>> _repositories = new(StringComparer.Ordinal);

    public CodeArtifactState(params IEnumerable<string> repositories)
    {
        foreach (var repository in repositories)
            _repositories[repository] = [];
    }

    public IReadOnlyList<string> Repositories => [.. _repositories.Keys.Order(StringComparer.Ordinal)];

    /// <summary>Runs something that reads or changes the state, alone.</summary>
    public T With<T>(Func<T> work)
    {
        lock (_lock)
            return work();
    }

    public IReadOnlyDictionary<PackageName, Package> PackagesOf(string repository) => _repositories[repository];

    internal Dictionary<PackageName, Package>? Packages(string repository) => _repositories.GetValueOrDefault(repository);

    public Package? Find(string repository, PackageName name) => Packages(repository)?.GetValueOrDefault(name);

    public Package Ensure(string repository, PackageName name)
    {
        var packages = Packages(repository) ?? throw new ArgumentException($"There is no repository {repository}.", nameof(repository));
        return packages.TryGetValue(name, out var package) ? package : packages[name] = new Package();
    }

    /// <summary>Adds a version with assets at once, as if it had been published.</summary>
    public PackageVersion Publish(string repository, PackageName name, string version, IReadOnlyDictionary<string, byte[]> assets, string status = "Published") => With(() =>
    {
        var published = Ensure(repository, name).Ensure(version);
        foreach (var (asset, bytes) in assets)
            published.Add(asset, bytes);
        published.Status = status;
        return published;
    });

    /// <summary>Removes a version, as DeletePackageVersions does.</summary>
    public bool Delete(string repository, PackageName name, string version) => With(() =>
    {
        if (Find(repository, name) is not { } package || !package.Versions.Remove(version))
            return false;
        if (package.Versions.Count == 0)
            Packages(repository)!.Remove(name);
        return true;
    });
}

/// <summary>A package: the namespace is Maven's group, and null where the format has none.</summary>
public sealed record PackageName(string Format, string? Namespace, string Name);

public sealed class Package
{
    public SortedDictionary<string, PackageVersion> Versions { get; } = new(StringComparer.Ordinal);

    /// <summary>Origin control: BLOCK keeps new versions from being published.</summary>
    public string Publish { get; set; } = "ALLOW";

    public byte[]? Metadata { get; set; }

    public PackageVersion Ensure(string version) => Versions.TryGetValue(version, out var found) ? found : Versions[version] = new PackageVersion();
}

/// <summary>A version. Its revision changes with its assets.</summary>
public sealed class PackageVersion
{
    public SortedDictionary<string, Asset> Assets { get; } = new(StringComparer.Ordinal);

    public string Status { get; set; } = "Unfinished";

    public string Revision { get; private set; } = NewRevision();

    public DateTimeOffset Published { get; set; } = DateTimeOffset.UtcNow;

    /// <summary>Assets of which a client claimed another checksum than theirs.</summary>
    public HashSet<string> Mismatched { get; } = new(StringComparer.Ordinal);

    public bool IsDownloadable => Status is "Published" or "Unlisted" or "Unfinished";

    public void Add(string asset, byte[] bytes) => Add(asset, new Asset(bytes));

    public void Add(string asset, Asset content)
    {
        Assets[asset] = content;
        Revision = NewRevision();
    }

    public void Dispose()
    {
        Assets.Clear();
        Status = "Disposed";
    }

    // Opaque, with the characters of base64: a client has to escape it.
    private static string NewRevision() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));
}

public sealed class Asset(byte[] bytes)
{
    private readonly Lazy<IReadOnlyDictionary<string, string>> _hashes = new(() => new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["MD5"] = Convert.ToHexStringLower(MD5.HashData(bytes)),
        ["SHA-1"] = Convert.ToHexStringLower(SHA1.HashData(bytes)),
        ["SHA-256"] = Convert.ToHexStringLower(SHA256.HashData(bytes)),
        ["SHA-512"] = Convert.ToHexStringLower(SHA512.HashData(bytes)),
    });

    public byte[] Bytes => bytes;

    public IReadOnlyDictionary<string, string> Hashes => _hashes.Value;
}

/// <summary>Snapshot builds: <c>1.0-20210728.194552-1</c> belongs to <c>1.0-SNAPSHOT</c>.</summary>
internal static partial class Snapshots
{
    public const string Suffix = "-SNAPSHOT";

    /// <summary>The build that an asset of a snapshot's directory belongs to, or null: it begins with artifact and base version.</summary>
    public static string? BuildOf(string artifact, string snapshot, string asset)
    {
        var start = $"{artifact}-{snapshot[..^Suffix.Length]}-";
        var match = asset.StartsWith(start, StringComparison.Ordinal) ? Stamp().Match(asset[start.Length..]) : Match.Empty;
        return match.Success ? $"{snapshot[..^Suffix.Length]}-{match.Value}" : null;
    }

    [GeneratedRegex(@"^\d{8}\.\d{6}-\d+", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex Stamp();
}
