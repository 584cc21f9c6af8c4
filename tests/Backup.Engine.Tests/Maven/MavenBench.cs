using System.Security.Cryptography;
using System.Text;
using Backup.Engine.Aws;
using Backup.Engine.Maven;
using Backup.Engine.Runs;
using Backup.Engine.Stores;
using Backup.Engine.Tests.Aws;
using Backup.TestServers.Aws;
using Backup.TestServers.CodeArtifact;

namespace Backup.Engine.Tests.Maven;

/// <summary>A loopback CodeArtifact and a store in a directory.</summary>
internal sealed class MavenBench : IAsyncDisposable
{
    public const string Owner = "111122223333";

    private readonly AwsEnvironment _environment = new();

    private MavenBench(CodeArtifactServer server)
    {
        Server = server;
        _environment.Set("AWS_ENDPOINT_URL_CODEARTIFACT", server.Endpoint.AbsoluteUri);
        StoreDirectory = Directory.CreateTempSubdirectory("maven-bench-").FullName;
    }

    public CodeArtifactServer Server { get; }

    public CodeArtifactState State => Server.State;

    public string StoreDirectory { get; }

    public StoreLocation Store => StoreLocation.ForDirectory(Path.Combine(StoreDirectory, "store"));

    public AwsOptions Aws => _environment.Options().Aws;

    public static PackageName Library { get; } = new("maven", "com.example", "library");

    public static async Task<MavenBench> StartAsync(int pageSize = 1000, Action<AwsRequest, int>? answered = null) =>
        new(await CodeArtifactServer.StartAsync("my-domain", Owner, ["my-repo", "other-repo"], pageSize: pageSize, answered: answered));

    public MavenBackupOptions Backup() => new() { Destination = Store, Aws = Aws, Domain = "my-domain", DomainOwner = Owner, Repository = "my-repo", RequestRate = 0 };

    public MavenRestoreOptions Restore() => new() { From = Store, Aws = Aws, FromDomain = "my-domain", FromRepository = "my-repo", RequestRate = 0 };

    public MavenCompareOptions Compare() => new() { Destination = Store, Aws = Aws, Domain = "my-domain", Repository = "my-repo", RequestRate = 0 };

    /// <summary>What a build tool publishes: pom, jar, sources, javadoc and a classifier's jar.</summary>
    public static Dictionary<string, byte[]> Assets(string version, string artifact = "library", string seed = "") => new(StringComparer.Ordinal)
    {
        [$"{artifact}-{version}.pom"] = Encoding.UTF8.GetBytes($"<project><modelVersion>4.0.0</modelVersion><groupId>com.example</groupId><artifactId>{artifact}</artifactId><version>{version}</version></project>"),
        [$"{artifact}-{version}.jar"] = Bytes($"jar {version} {seed}", 100_000),
        [$"{artifact}-{version}-sources.jar"] = Bytes($"sources {version} {seed}", 30_000),
        [$"{artifact}-{version}-javadoc.jar"] = Bytes($"javadoc {version} {seed}", 20_000),
        [$"{artifact}-{version}-linux-x86_64.jar"] = Bytes($"classifier {version} {seed}", 0),
    };

    public static byte[] Bytes(string seed, int length)
    {
        var bytes = new byte[length];
        new Random(BitConverter.ToInt32(SHA256.HashData(Encoding.UTF8.GetBytes(seed)))).NextBytes(bytes);
        return bytes;
    }

    public async Task<List<T>> RunAsync<T>(IAsyncEnumerable<T> run)
    {
        var outputs = new List<T>();
        await foreach (var output in run.WithCancellation(TestContext.Current.CancellationToken))
            outputs.Add(output);
        return outputs;
    }

    public async Task<List<PackageVersionResult>> VersionsAsync(MavenBackupOptions options) =>
        [.. (await RunAsync(MavenBackup.RunAsync(options))).OfType<PackageVersionResult>()];

    /// <summary>Every hash of every asset that a repository serves, but for metadata.</summary>
    public Dictionary<string, string> Hashes(string repository) => State.With(() => State.PackagesOf(repository)
        .SelectMany(p => p.Value.Versions.SelectMany(v => v.Value.Assets.Where(a => a.Key != "maven-metadata.xml").Select(a => (Key: $"{p.Key.Namespace}:{p.Key.Name}:{v.Key} {v.Value.Status} {a.Key}", Value: a.Value.Hashes["SHA-512"]))))
        .ToDictionary(x => x.Key, x => x.Value, StringComparer.Ordinal));

    /// <summary>Every file of the store with its content, but for the times that manifests carry.</summary>
    public Dictionary<string, string> StoredFiles() => !Directory.Exists(Store.Directory!) ? [] : Directory
        .EnumerateFiles(Store.Directory!, "*", SearchOption.AllDirectories)
        .Select(file => Path.GetRelativePath(Store.Directory!, file).Replace('\\', '/'))
        .Where(file => file.StartsWith("my-domain/", StringComparison.Ordinal) || file.StartsWith("_catalog/packages/", StringComparison.Ordinal))
        .ToDictionary(file => file, file => file.StartsWith("_catalog", StringComparison.Ordinal) ? "" : Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(Path.Combine(Store.Directory!, file)))), StringComparer.Ordinal);

    public async Task<List<BackupRun>> RunsAsync() => await RunAsync(RunQueries.RunAsync(Store, new()));

    public int Count(string path) => Server.Api.Requests.Count(request => request.RawPath == path);

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        _environment.Dispose();
        Directory.Delete(StoreDirectory, recursive: true);
    }
}
