using Backup.Engine.Tests.Aws;
using Backup.Engine.Tests.Maven;

namespace Backup.Engine.Tests.Host;

/// <summary>Runs of systems other than folders, by the host.</summary>
[Collection(AwsEnvironment.Collection)]
public sealed class HostRestoreTests
{
    [Fact]
    public async Task Runs_of_several_systems_are_verified_and_restored_as_files()
    {
        await using var bench = await MavenBench.StartAsync();
        var assets = MavenBench.Assets("1.0");
        bench.State.Publish("my-repo", MavenBench.Library, "1.0", assets);
        var packages = (await bench.VersionsAsync(bench.Backup() with { Packages = ["com.example:library"] })).Single().RunId!;
        var store = bench.Store.Directory!;
        var source = Directory.CreateDirectory(Path.Combine(bench.StoreDirectory, "source")).FullName;
        await File.WriteAllTextAsync(Path.Combine(source, "a.txt"), "one", TestContext.Current.CancellationToken);
        var synced = (await HostProgram.RunAsync(null, "sync", source, "--to", store, "--cache", Path.Combine(bench.StoreDirectory, "cache"), "--json")).Succeeded();
        var folder = (string)HostProgram.Lines(synced).Single()["runId"]!;

        (await HostProgram.RunAsync(null, "verify", store, "--system", "maven", "--deep")).Succeeded().ShouldContain("5 objects");
        var refused = await HostProgram.RunAsync(null, "restore", store, "--run", packages);
        (refused.ExitCode, refused.Error.Contains("no original place", StringComparison.Ordinal)).ShouldBe((2, true));

        // Two runs of two systems, each into a directory of its own.
        var copy = Path.Combine(bench.StoreDirectory, "copy");
        HostProgram.Lines((await HostProgram.RunAsync(null, "restore", store, "--run", packages, "--run", folder, "--to", copy, "--json")).Succeeded()).Count.ShouldBe(2);
        var files = Directory.GetFiles(Path.Combine(copy, packages), "*", SearchOption.AllDirectories).ToDictionary(file => Path.GetFileName(file)!, File.ReadAllBytes, StringComparer.Ordinal);
        foreach (var (name, bytes) in assets)
            files[name].ShouldBe(bytes);
        File.Exists(Path.Combine(copy, folder, "a.txt")).ShouldBeTrue();
    }
}
