using System.Text.Json.Nodes;
using Backup.Engine.Maven;
using Backup.Engine.Runs;
using Backup.Engine.Stores;
using Backup.Engine.Tests.Aws;
using Backup.Engine.Tests.Stores.S3;

namespace Backup.Engine.Tests.Maven;

/// <summary>What a store holds of packages: how much it is asked, what becomes of damage, and what a comparison says.</summary>
[Collection(AwsEnvironment.Collection)]
public sealed class MavenStoreTests
{
    private const string Home = "my-domain/maven/my-repo/com/example/library/1.0/";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Each_asset_takes_one_request_to_S3_and_an_unchanged_repository_a_handful()
    {
        await using var bench = await MavenBench.StartAsync();
        await using var s3 = await S3Bench.StartAsync();
        for (var i = 0; i < 20; i++)
            bench.State.Publish("my-repo", new("maven", "com.example", $"lib{i}"), "1.0", MavenBench.Assets("1.0", $"lib{i}"));
        var options = bench.Backup() with { All = true, Destination = StoreLocation.ForBucket(S3Bench.Bucket), Store = s3.Options };
        (await SummaryAsync(bench, options)).Stored.ShouldBe(20);
        // Five assets and a manifest a version, then the inventory and the run.
        s3.Count("PutObject").ShouldBeInRange(20 * 6, (20 * 6) + 6);
        s3.Server.Requests.Count(r => r.Operation != "PutObject").ShouldBeLessThan(12);

        s3.Server.ClearRequests();
        var asked = bench.Server.Api.Requests.Count;
        (await SummaryAsync(bench, options)).Outcome.ShouldBe(Outcome.Unchanged);
        s3.Server.Requests.Count.ShouldBeLessThan(8);
        bench.Server.Api.Requests.Skip(asked).Select(r => r.RawPath).Distinct(StringComparer.Ordinal).ShouldBe(["/v1/packages", "/v1/package/versions"], ignoreOrder: true);
    }

    [Fact]
    public async Task What_is_missing_or_damaged_in_the_store_is_stored_again_where_that_version_is_named()
    {
        await using var bench = await MavenBench.StartAsync();
        bench.State.Publish("my-repo", MavenBench.Library, "1.0", MavenBench.Assets("1.0"));
        var options = bench.Backup() with { Packages = ["com.example:library"] };
        await bench.VersionsAsync(options);
        var before = bench.StoredFiles();
        File.Delete(FileOf(bench, "library-1.0.pom"));
        await File.WriteAllTextAsync(FileOf(bench, "library-1.0.jar"), "damaged", Stop);

        var plan = (await bench.VersionsAsync(options with { WhatIf = true })).Single();
        (plan.Outcome, plan.Bytes > 100_000).ShouldBe((Outcome.Skipped, true));
        File.Exists(FileOf(bench, "library-1.0.pom")).ShouldBeFalse();

        var downloads = bench.Count("/v1/package/version/asset");
        var result = (await bench.VersionsAsync(options)).Single();
        (result.Outcome, result.Assets).ShouldBe((Outcome.Completed, 5));
        result.Reason!.ShouldContain("2 assets");
        (bench.Count("/v1/package/version/asset") - downloads).ShouldBe(2);
        bench.StoredFiles().ShouldBe(before, ignoreOrder: true);
        (await CompareAsync(bench)).ShouldBeEmpty();
        (await bench.RunAsync(RunVerifier.RunAsync(bench.Store, new() { LatestOnly = true }, deep: true))).ShouldAllBe(run => run.Passed);
        (await bench.VersionsAsync(options)).Single().Outcome.ShouldBe(Outcome.Unchanged);
    }

    [Fact]
    public async Task A_lost_version_of_an_object_is_stored_again_in_a_versioned_bucket()
    {
        await using var bench = await MavenBench.StartAsync();
        await using var s3 = await S3Bench.StartAsync(versioning: "Enabled");
        bench.State.Publish("my-repo", MavenBench.Library, "1.0", MavenBench.Assets("1.0"));
        var options = bench.Backup() with { Packages = ["com.example:library"], Destination = StoreLocation.ForBucket(S3Bench.Bucket), Store = s3.Options };
        await bench.VersionsAsync(options);
        using var sdk = s3.Sdk();
        var lost = (await sdk.ListVersionsAsync(S3Bench.Bucket, Home + "library-1.0.jar", Stop)).Versions.Single();
        await sdk.DeleteObjectAsync(S3Bench.Bucket, lost.Key, lost.VersionId, Stop);
        s3.Time.Advance(TimeSpan.FromMinutes(1));

        (await bench.VersionsAsync(options)).Single().Outcome.ShouldBe(Outcome.Completed);
        (await bench.RunAsync(MavenCompare.RunAsync(bench.Compare() with { Destination = options.Destination, Store = s3.Options }))).ShouldBeEmpty();
        (await bench.RunAsync(RunVerifier.RunAsync(options.Destination, new() { LatestOnly = true }, deep: true, s3.Options))).ShouldAllBe(run => run.Passed);
    }

    [Fact]
    public async Task The_same_bytes_under_a_new_revision_are_no_difference()
    {
        await using var bench = await MavenBench.StartAsync();
        bench.State.Publish("my-repo", MavenBench.Library, "1.0", MavenBench.Assets("1.0"));
        bench.State.Publish("my-repo", MavenBench.Library, "1.1", MavenBench.Assets("1.1"));
        await SummaryAsync(bench, bench.Backup() with { All = true });
        bench.State.Delete("my-repo", MavenBench.Library, "1.0");
        await bench.RunAsync(MavenRestore.RunAsync(bench.Restore()));
        (await CompareAsync(bench)).ShouldBeEmpty();

        bench.State.Delete("my-repo", MavenBench.Library, "1.1");
        bench.State.Publish("my-repo", MavenBench.Library, "1.1", MavenBench.Assets("1.1", seed: "other"));
        (await CompareAsync(bench)).ShouldHaveSingleItem().Difference.ShouldBe(MavenDifferenceKind.Changed);
    }

    [Fact]
    public async Task Only_what_travelled_is_counted()
    {
        await using var bench = await MavenBench.StartAsync();
        bench.State.Publish("my-repo", MavenBench.Library, "1.0", MavenBench.Assets("1.0"));
        var options = bench.Backup() with { All = true };
        var first = await SummaryAsync(bench, options);
        (first.Assets, first.Bytes).ShouldBe((5, MavenBench.Assets("1.0").Values.Sum(bytes => bytes.LongLength)));
        bench.State.With(() => { bench.State.Find("my-repo", MavenBench.Library)!.Versions["1.0"].Add("library-1.0-tests.jar", MavenBench.Bytes("tests", 100)); return 0; });
        var second = await SummaryAsync(bench, options);
        (second.Stored, second.Assets, second.Bytes).ShouldBe((1, 1, 100));
        var run = (await bench.RunsAsync())[0];
        (run.BytesStored, run.TotalObjects).ShouldBe((100, 6));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Identical_events_at_the_same_time_make_one_run(bool toS3)
    {
        await using var bench = await MavenBench.StartAsync();
        await using var s3 = toS3 ? await S3Bench.StartAsync() : null;
        var (place, how) = s3 is null ? (bench.Store, new StoreOptions()) : (StoreLocation.ForBucket(S3Bench.Bucket), s3.Options with { Time = TimeProvider.System });
        for (var i = 0; i < 5; i++)
        {
            var version = $"1.{i}";
            bench.State.Publish("my-repo", MavenBench.Library, version, MavenBench.Assets(version));
            var options = bench.Backup() with { Destination = place, Store = how, Domain = null, Repository = null, Events = [Event(version)] };
            var results = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => bench.VersionsAsync(options), Stop)));
            results.SelectMany(r => r).ShouldAllBe(r => r.Outcome == Outcome.Completed || r.Outcome == Outcome.Unchanged);
            (await bench.RunAsync(RunQueries.RunAsync(place, new(), how))).Count.ShouldBe(i + 1);
        }

        (await bench.RunAsync(RunVerifier.RunAsync(place, new(), deep: true, how))).ShouldAllBe(run => run.Passed);
        (await bench.RunAsync(MavenCompare.RunAsync(bench.Compare() with { Destination = place, Store = how }))).ShouldBeEmpty();
    }

    [Fact]
    public async Task An_event_of_a_repository_that_cannot_be_found_is_an_error_and_no_tombstone()
    {
        await using var bench = await MavenBench.StartAsync();
        var gone = Event("1.0").Replace("\"my-repo\"", "\"no-repo\"", StringComparison.Ordinal);
        var result = (await bench.VersionsAsync(bench.Backup() with { Domain = null, Repository = null, Events = [gone] })).Single();
        (result.Outcome, result.Kind).ShouldBe((Outcome.Failed, FailureKind.NotFound));
        result.Advice!.ShouldNotContain("drive");
        bench.StoredFiles().ShouldBeEmpty();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_restore_to_a_repository_that_does_not_exist_ends_before_the_first_version(bool whatIf)
    {
        await using var bench = await MavenBench.StartAsync();
        bench.State.Publish("my-repo", MavenBench.Library, "1.0", MavenBench.Assets("1.0"));
        await SummaryAsync(bench, bench.Backup() with { All = true });
        var failure = await Should.ThrowAsync<BackupException>(() => bench.RunAsync(MavenRestore.RunAsync(bench.Restore() with { Repository = "no-repo", WhatIf = whatIf })));
        failure.Kind.ShouldBe(FailureKind.NotFound);
        failure.Message.ShouldContain("no-repo");
    }

    [Fact]
    public async Task Damage_that_a_restore_meets_is_the_stores_and_said_so()
    {
        await using var bench = await MavenBench.StartAsync();
        bench.State.Publish("my-repo", MavenBench.Library, "1.0", MavenBench.Assets("1.0"));
        await SummaryAsync(bench, bench.Backup() with { All = true });
        await File.WriteAllTextAsync(FileOf(bench, "library-1.0.jar"), "damaged", Stop);
        var result = (await bench.RunAsync(MavenRestore.RunAsync(bench.Restore() with { Repository = "other-repo" }))).OfType<PackageVersionResult>().Single();
        result.Outcome.ShouldBe(Outcome.Failed);
        result.Reason!.ShouldNotContain("CodeArtifact says");
        result.Advice!.ShouldContain("Backup-MavenPackage");
    }

    [Fact]
    public async Task An_unchanged_repository_is_marked_as_looked_at_once_an_hour()
    {
        await using var bench = await MavenBench.StartAsync();
        bench.State.Publish("my-repo", MavenBench.Library, "1.0", MavenBench.Assets("1.0"));
        var time = new Fixtures.FakeTime(impatient: true);
        var options = bench.Backup() with { All = true, Store = new() { Time = time } };
        string[] Marks() => Directory.Exists(Path.Combine(bench.Store.Directory!, "_catalog/unchanged"))
            ? [.. Directory.GetFiles(Path.Combine(bench.Store.Directory!, "_catalog/unchanged"), "*.json", SearchOption.AllDirectories).Where(f => !Path.GetFileName(f).StartsWith('.')).Select(File.ReadAllText)] : [];

        await SummaryAsync(bench, options);
        time.Advance(TimeSpan.FromMinutes(50));
        await SummaryAsync(bench, options);
        // The run itself speaks for that hour.
        Marks().ShouldBeEmpty();
        time.Advance(TimeSpan.FromMinutes(20));
        await SummaryAsync(bench, options with { WhatIf = true });
        await SummaryAsync(bench, options with { Namespace = "com.example" });
        Marks().ShouldBeEmpty();
        (await SummaryAsync(bench, options)).Outcome.ShouldBe(Outcome.Unchanged);
        var text = Marks().ShouldHaveSingleItem();
        var mark = JsonNode.Parse(text)!;
        mark["manifest"]!.GetValue<string>().ShouldStartWith("_catalog/runs/maven/my-domain-my-repo");
        time.Advance(TimeSpan.FromMinutes(30));
        await SummaryAsync(bench, options);
        Marks().Single().ShouldBe(text);
        time.Advance(TimeSpan.FromMinutes(40));
        await SummaryAsync(bench, options);
        JsonNode.Parse(Marks().Single())!["at"]!.GetValue<DateTimeOffset>().ShouldBeGreaterThan(mark["at"]!.GetValue<DateTimeOffset>());
    }

    [Fact]
    public async Task A_run_after_a_failed_one_is_a_good_one_also_where_nothing_is_left_to_do()
    {
        await using var bench = await MavenBench.StartAsync();
        bench.State.Publish("my-repo", MavenBench.Library, "1.0", MavenBench.Assets("1.0"));
        bench.State.Publish("my-repo", MavenBench.Library, "1.1", MavenBench.Assets("1.1"));
        await SummaryAsync(bench, bench.Backup() with { All = true });
        bench.State.Publish("my-repo", MavenBench.Library, "1.2", new Dictionary<string, byte[]>(StringComparer.Ordinal) { ["library-1.2.jar"] = MavenBench.Bytes("x", 1000) });
        bench.Server.Corrupt = true;
        var failed = await SummaryAsync(bench, bench.Backup() with { All = true });
        (failed.Outcome, failed.Reason).ShouldBe((Outcome.Failed, "1 version could not be backed up."));
        bench.Server.Corrupt = false;
        bench.State.Delete("my-repo", MavenBench.Library, "1.2");
        await SummaryAsync(bench, bench.Backup() with { All = true });
        (await bench.RunsAsync())[0].Outcome.ShouldBe(Outcome.Completed);
    }

    [Fact]
    public async Task A_namespace_that_nothing_has_is_warned_of()
    {
        await using var bench = await MavenBench.StartAsync();
        bench.State.Publish("my-repo", MavenBench.Library, "1.0", MavenBench.Assets("1.0"));
        var lines = new List<string>();
        await SummaryAsync(bench, bench.Backup() with { All = true, Namespace = "com.exam", Logger = new Folders.Listener(lines.Add) });
        lines.ShouldContain(line => line.Contains("com.exam", StringComparison.Ordinal) && line.Contains("no package", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_version_that_two_pages_list_is_backed_up_once()
    {
        MavenBench? bench = null;
        var moved = false;
        bench = await MavenBench.StartAsync(pageSize: 2, answered: (request, _) =>
        {
            if (moved || request.RawPath != "/v1/package/versions")
                return;
            moved = true;
            // What is published now is listed before what was listed last: that one comes again.
            bench!.State.Publish("my-repo", MavenBench.Library, "0.9", MavenBench.Assets("0.9"));
        });
        await using var owned = bench;
        foreach (var version in (string[])["1.0", "1.1", "1.2"])
            bench.State.Publish("my-repo", MavenBench.Library, version, MavenBench.Assets(version));
        var summary = await SummaryAsync(bench, bench.Backup() with { All = true });
        (summary.Outcome, summary.Stored, moved).ShouldBe((Outcome.Completed, 3, true));
    }

    private static string FileOf(MavenBench bench, string asset) => Path.Combine(bench.Store.Directory!, Home + asset);

    private static async Task<RepositoryResult> SummaryAsync(MavenBench bench, MavenBackupOptions options) => (await bench.RunAsync(MavenBackup.RunAsync(options))).OfType<RepositoryResult>().Single();

    private static Task<List<MavenDifference>> CompareAsync(MavenBench bench) => bench.RunAsync(MavenCompare.RunAsync(bench.Compare()));

    private static string Event(string version) => $$"""
        { "detail-type": "CodeArtifact Package Version State Change", "source": "aws.codeartifact", "detail": { "domainName": "my-domain", "domainOwner": "{{MavenBench.Owner}}",
          "repositoryName": "my-repo", "packageFormat": "maven", "packageNamespace": "com.example", "packageName": "library", "packageVersion": "{{version}}",
          "packageVersionState": "Published", "packageVersionRevision": "r", "operationType": "Updated", "sequenceNumber": 2 } }
        """;
}
