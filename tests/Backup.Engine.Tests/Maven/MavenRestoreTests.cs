using System.Text;
using Backup.Engine.Maven;
using Backup.Engine.Tests.Aws;
using Backup.Engine.Tests.Fixtures;
using Backup.TestServers.CodeArtifact;

namespace Backup.Engine.Tests.Maven;

[Collection(AwsEnvironment.Collection)]
public sealed class MavenRestoreTests
{
    private const string Build1 = "1.1-20210728.194552-1";
    private const string Build2 = "1.1-20210729.101500-2";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Backup_deletion_and_restore_give_identical_hashes()
    {
        await using var bench = await MavenBench.StartAsync();
        await PublishAsync(bench);
        var before = bench.Hashes("my-repo");
        before.Count.ShouldBe(20);
        var run = await BackUpAsync(bench);
        DeleteAll(bench);

        var outputs = await bench.RunAsync(MavenRestore.RunAsync(bench.Restore() with { RunId = run }));
        outputs.OfType<RepositoryResult>().Single().Outcome.ShouldBe(Outcome.Completed, string.Join("\n", outputs));
        bench.Hashes("my-repo").ShouldBe(before, ignoreOrder: true);

        var again = await bench.RunAsync(MavenRestore.RunAsync(bench.Restore() with { RunId = run }));
        again.OfType<RepositoryResult>().Single().Outcome.ShouldBe(Outcome.Unchanged, string.Join("\n", again));
    }

    [Fact]
    public async Task Versions_are_restored_by_coordinates_into_another_repository()
    {
        await using var bench = await MavenBench.StartAsync();
        await PublishAsync(bench);
        await BackUpAsync(bench);
        var result = (await bench.RunAsync(MavenRestore.RunAsync(bench.Restore() with { Repository = "other-repo", Packages = ["com.example:library"], Versions = ["1.0"] }))).OfType<PackageVersionResult>().Single();
        (result.Outcome, result.Repository, result.Assets).ShouldBe((Outcome.Completed, "other-repo", 6));
        bench.Hashes("other-repo").ShouldBe(bench.Hashes("my-repo").Where(h => h.Key.StartsWith("com.example:library:1.0 ", StringComparison.Ordinal)).ToDictionary(StringComparer.Ordinal), ignoreOrder: true);
    }

    [Fact]
    public async Task WhatIf_publishes_nothing()
    {
        await using var bench = await MavenBench.StartAsync();
        await PublishAsync(bench);
        await BackUpAsync(bench);
        var puts = bench.Server.Api.Requests.Count;
        var outputs = await bench.RunAsync(MavenRestore.RunAsync(bench.Restore() with { Repository = "other-repo", WhatIf = true }));
        outputs.OfType<PackageVersionResult>().ShouldAllBe(r => r.Outcome == Outcome.Skipped && r.WhatIf);
        bench.Hashes("other-repo").ShouldBeEmpty();
        bench.Server.Api.Requests.Skip(puts).ShouldAllBe(r => r.RawPath == "/v1/package/version/assets" || r.RawPath == "/v1/repository/endpoint");
    }

    [Fact]
    public async Task Other_bytes_are_a_conflict_and_stay()
    {
        await using var bench = await MavenBench.StartAsync();
        await PublishAsync(bench);
        await BackUpAsync(bench);
        bench.State.Publish("other-repo", MavenBench.Library, "1.0", new Dictionary<string, byte[]>(StringComparer.Ordinal) { ["library-1.0.jar"] = [1, 2, 3] });
        var before = bench.Hashes("other-repo");
        var result = (await bench.RunAsync(MavenRestore.RunAsync(bench.Restore() with { Repository = "other-repo", Packages = ["com.example:library"], Versions = ["1.0"] }))).OfType<PackageVersionResult>().Single();
        (result.Outcome, result.Kind).ShouldBe((Outcome.Failed, FailureKind.AlreadyExists));
        result.Reason.ShouldNotBeNull().ShouldContain("library-1.0.jar");
        bench.Hashes("other-repo").ShouldBe(before);
    }

    [Fact]
    public async Task Origin_control_is_explained_where_it_blocks()
    {
        await using var bench = await MavenBench.StartAsync();
        await PublishAsync(bench);
        await BackUpAsync(bench);
        bench.State.With(() => bench.State.Ensure("other-repo", MavenBench.Library).Publish = "BLOCK");
        var result = (await bench.RunAsync(MavenRestore.RunAsync(bench.Restore() with { Repository = "other-repo", Packages = ["com.example:library"], Versions = ["1.0"] }))).OfType<PackageVersionResult>().Single();
        (result.Outcome, result.Kind).ShouldBe((Outcome.Failed, FailureKind.PermissionDenied));
        result.Advice.ShouldNotBeNull().ShouldContain("put-package-origin-configuration");
    }

    [Fact]
    public async Task Damage_in_the_store_is_never_published()
    {
        await using var bench = await MavenBench.StartAsync();
        await PublishAsync(bench);
        await BackUpAsync(bench);
        var jar = Path.Combine(bench.Store.Directory!, "my-domain/maven/my-repo/com/example/library/1.0/library-1.0.jar");
        var bytes = await File.ReadAllBytesAsync(jar, Stop);
        bytes[5000] ^= 1;
        await File.WriteAllBytesAsync(jar, bytes, Stop);
        var result = (await bench.RunAsync(MavenRestore.RunAsync(bench.Restore() with { Repository = "other-repo", Packages = ["com.example:library"], Versions = ["1.0"] }))).OfType<PackageVersionResult>().Single();
        result.Outcome.ShouldBe(Outcome.Failed);
        bench.Hashes("other-repo").Keys.ShouldNotContain(key => key.EndsWith(" library-1.0.jar", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Generic_packages_go_back_through_the_API()
    {
        await using var bench = await MavenBench.StartAsync();
        bench.State.Publish("my-repo", new("generic", "tools", "tool"), "1.0.0", new Dictionary<string, byte[]>(StringComparer.Ordinal) { ["a.tgz"] = MavenBench.Bytes("a", 70_000), ["b.tgz"] = MavenBench.Bytes("b", 10) });
        await bench.RunAsync(MavenBackup.RunAsync(bench.Backup() with { All = true, Formats = ["generic"] }));
        var before = bench.Hashes("my-repo");
        bench.State.Delete("my-repo", new("generic", "tools", "tool"), "1.0.0");
        var results = await bench.RunAsync(MavenRestore.RunAsync(bench.Restore() with { Format = "generic" }));
        results[0].Outcome.ShouldBe(Outcome.Completed, results[0].Reason);
        bench.Hashes("my-repo").ShouldBe(before, ignoreOrder: true);
    }

    [Fact]
    public async Task A_directory_becomes_a_repository_that_mvn_resolves_from()
    {
        await using var bench = await MavenBench.StartAsync();
        await PublishAsync(bench);
        await BackUpAsync(bench);
        var repository = Path.Combine(bench.StoreDirectory, "repository");
        var outputs = await bench.RunAsync(MavenRestore.RunAsync(bench.Restore() with { Directory = repository }));
        outputs.OfType<RepositoryResult>().Single().Failed.ShouldBe(0, string.Join("\n", outputs));
        File.ReadAllText(Path.Combine(repository, "com/example/library/maven-metadata.xml")).ShouldContain("<release>1.0</release>");
        File.Exists(Path.Combine(repository, $"com/example/library/1.1-SNAPSHOT/library-{Build2}.jar.sha512")).ShouldBeTrue();
        File.ReadAllText(Path.Combine(repository, "com/example/library/1.1-SNAPSHOT/maven-metadata.xml")).ShouldContain("20210729.101500");
        var again = await bench.RunAsync(MavenRestore.RunAsync(bench.Restore() with { Directory = repository }));
        again.OfType<RepositoryResult>().Single().Outcome.ShouldBe(Outcome.Unchanged);
        await ResolveAsync(bench, new Uri(repository).AbsoluteUri, "1.0", password: null);
        await ResolveAsync(bench, new Uri(repository).AbsoluteUri, "1.1-SNAPSHOT", password: null);
    }

    [Fact]
    public async Task Mvn_resolves_what_was_restored_to_CodeArtifact()
    {
        await using var bench = await MavenBench.StartAsync();
        await PublishAsync(bench);
        var run = await BackUpAsync(bench);
        DeleteAll(bench);
        await bench.RunAsync(MavenRestore.RunAsync(bench.Restore() with { RunId = run }));
        await ResolveAsync(bench, $"{bench.Server.Endpoint}d/my-domain/maven/my-repo/", "1.0", CodeArtifactServer.Token);
    }

    [Fact]
    public async Task Any_repository_that_takes_PUT_is_a_target()
    {
        await using var bench = await MavenBench.StartAsync();
        await PublishAsync(bench);
        await BackUpAsync(bench);
        // CodeArtifact's own Maven endpoint is one.
        var url = new Uri($"{bench.Server.Endpoint}d/my-domain/maven/other-repo/");
        var outputs = await bench.RunAsync(MavenRestore.RunAsync(bench.Restore() with { Url = url, Credentials = new("aws", CodeArtifactServer.Token), Packages = ["com.example:library"], Versions = ["1.0"] }));
        outputs.OfType<RepositoryResult>().Single().Outcome.ShouldBe(Outcome.Completed, string.Join("\n", outputs));
        bench.Hashes("other-repo").Count.ShouldBe(5);
        (await bench.RunAsync(MavenRestore.RunAsync(bench.Restore() with { Url = url, Credentials = new("aws", CodeArtifactServer.Token), Packages = ["com.example:library"], Versions = ["1.0"] }))).OfType<RepositoryResult>().Single().Outcome.ShouldBe(Outcome.Unchanged);
    }

    [Fact]
    public async Task What_a_real_mvn_deploys_is_backed_up_whole()
    {
        await using var bench = await MavenBench.StartAsync();
        Assert.SkipUnless(File.Exists("/usr/share/maven-repo/org/apache/maven/plugins/maven-deploy-plugin/maven-metadata-local.xml") || Directory.Exists("/usr/share/maven-repo/org/apache/maven/plugins/maven-deploy-plugin"), "The deploy plugin is not installed: libmaven-deploy-plugin-java.");
        var jar = Path.Combine(bench.StoreDirectory, "deployed.jar");
        await File.WriteAllBytesAsync(jar, MavenBench.Bytes("deployed", 50_000), Stop);
        var plugin = Path.GetFileName(Directory.GetDirectories("/usr/share/maven-repo/org/apache/maven/plugins/maven-deploy-plugin").First(d => !d.EndsWith("debian", StringComparison.Ordinal)));
        var settings = await SettingsAsync(bench, CodeArtifactServer.Token);
        var local = Path.Combine(bench.StoreDirectory, "m2");
        (await PeerProgram.RunAsync(
            "mvn",
            [
                "-B", "-q", "-s", settings, $"-Dmaven.repo.local={local}", $"org.apache.maven.plugins:maven-deploy-plugin:{plugin}:deploy-file",
                $"-Durl={bench.Server.Endpoint}d/my-domain/maven/my-repo/", "-DrepositoryId=ca", $"-Dfile={jar}", "-DgroupId=com.example", "-DartifactId=deployed", "-Dversion=2.0", "-Dpackaging=jar",
            ],
            workingDirectory: bench.StoreDirectory)).Succeeded();
        bench.State.Find("my-repo", new("maven", "com.example", "deployed"))!.Versions["2.0"].Status.ShouldBe("Published");
        var result = (await bench.VersionsAsync(bench.Backup() with { Packages = ["com.example:deployed"] })).Single();
        (result.Outcome, result.Assets).ShouldBe((Outcome.Completed, 3));
    }

    private static async Task PublishAsync(MavenBench bench)
    {
        using var http = new HttpClient { BaseAddress = new Uri($"{bench.Server.Endpoint}d/my-domain/maven/my-repo/com/example/library/") };
        http.DefaultRequestHeaders.Authorization = new("Bearer", CodeArtifactServer.Token);
        async Task Put(string path, byte[] bytes) => (await http.PutAsync(path, new ByteArrayContent(bytes), Stop)).EnsureSuccessStatusCode();
        foreach (var (name, bytes) in MavenBench.Assets("1.0"))
            await Put("1.0/" + name, bytes);
        await Put("maven-metadata.xml", Encoding.UTF8.GetBytes("<metadata><groupId>com.example</groupId><artifactId>library</artifactId><versioning><versions><version>1.0</version></versions></versioning></metadata>"));
        foreach (var build in (string[])[Build1, Build2])
        {
            foreach (var (name, bytes) in MavenBench.Assets(build))
                await Put("1.1-SNAPSHOT/" + name, bytes);
            var parts = build.Split('-');
            await Put("1.1-SNAPSHOT/maven-metadata.xml", Encoding.UTF8.GetBytes(
                $"<metadata><groupId>com.example</groupId><artifactId>library</artifactId><version>1.1-SNAPSHOT</version><versioning><snapshot><timestamp>{parts[1]}</timestamp><buildNumber>{parts[2]}</buildNumber></snapshot><snapshotVersions><snapshotVersion><extension>jar</extension><value>{build}</value><updated>20210729101500</updated></snapshotVersion><snapshotVersion><extension>pom</extension><value>{build}</value><updated>20210729101500</updated></snapshotVersion></snapshotVersions></versioning></metadata>"));
        }
    }

    private static async Task<string> BackUpAsync(MavenBench bench)
    {
        var outputs = await bench.RunAsync(MavenBackup.RunAsync(bench.Backup() with { All = true }));
        outputs.ShouldAllBe(o => o.Outcome == Outcome.Completed);
        return outputs.OfType<RepositoryResult>().Single().RunId!;
    }

    private static void DeleteAll(MavenBench bench)
    {
        foreach (var version in bench.State.Find("my-repo", MavenBench.Library)!.Versions.Keys.ToList())
            bench.State.Delete("my-repo", MavenBench.Library, version);
        bench.Hashes("my-repo").ShouldBeEmpty();
    }

    private static async Task<string> SettingsAsync(MavenBench bench, string? password)
    {
        var settings = Path.Combine(bench.StoreDirectory, "settings.xml");
        await File.WriteAllTextAsync(settings, $"""
            <settings><servers><server><id>ca</id><username>aws</username><password>{password}</password></server></servers>
            <profiles><profile><id>p</id><pluginRepositories><pluginRepository><id>debian</id><url>file:///usr/share/maven-repo</url></pluginRepository></pluginRepositories>
            <repositories><repository><id>debian</id><url>file:///usr/share/maven-repo</url></repository></repositories></profile></profiles>
            <activeProfiles><activeProfile>p</activeProfile></activeProfiles>
            <mirrors><mirror><id>none</id><mirrorOf>central</mirrorOf><url>file:///usr/share/maven-repo</url></mirror></mirrors></settings>
            """, Stop);
        return settings;
    }

    // A build extension is the one thing that mvn resolves with no plugin at all: pom and jar, checksums compared.
    private static async Task ResolveAsync(MavenBench bench, string url, string version, string? password)
    {
        var project = Directory.CreateDirectory(Path.Combine(bench.StoreDirectory, $"project-{Guid.NewGuid():N}")).FullName;
        await File.WriteAllTextAsync(Path.Combine(project, "pom.xml"), $"""
            <project><modelVersion>4.0.0</modelVersion><groupId>t</groupId><artifactId>t</artifactId><version>1</version><packaging>pom</packaging>
            <pluginRepositories><pluginRepository><id>ca</id><url>{url}</url><releases><checksumPolicy>fail</checksumPolicy></releases><snapshots><enabled>true</enabled><checksumPolicy>fail</checksumPolicy></snapshots></pluginRepository></pluginRepositories>
            <build><extensions><extension><groupId>com.example</groupId><artifactId>library</artifactId><version>{version}</version></extension></extensions></build></project>
            """, Stop);
        var local = Path.Combine(project, "m2");
        var result = await PeerProgram.RunAsync("mvn", ["-B", "-e", "-s", await SettingsAsync(bench, password), $"-Dmaven.repo.local={local}", "validate"], workingDirectory: project);
        var jars = Directory.Exists(local) ? Directory.GetFiles(local, "library-*.jar", SearchOption.AllDirectories) : [];
        jars.ShouldNotBeEmpty(result.Output + result.Error);
        var expected = MavenBench.Assets(version == "1.0" ? "1.0" : Build2).Single(a => a.Key.EndsWith($"{(version == "1.0" ? "1.0" : Build2)}.jar", StringComparison.Ordinal)).Value;
        (await File.ReadAllBytesAsync(jars[0], Stop)).ShouldBe(expected);
    }
}
