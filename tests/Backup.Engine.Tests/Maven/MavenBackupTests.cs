using System.Text.Json.Nodes;
using Backup.Engine.Maven;
using Backup.Engine.Runs;
using Backup.Engine.Tests.Aws;
using Backup.TestServers.Aws;

namespace Backup.Engine.Tests.Maven;

[Collection(AwsEnvironment.Collection)]
public sealed class MavenBackupTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_asset_of_a_version_is_stored_in_the_samples_layout()
    {
        await using var bench = await MavenBench.StartAsync(pageSize: 2);
        var assets = MavenBench.Assets("1.0");
        bench.State.Publish("my-repo", MavenBench.Library, "1.0", assets);

        var result = (await bench.VersionsAsync(bench.Backup() with { Packages = ["com.example:library"], Versions = ["1.0"] })).ShouldHaveSingleItem();
        (result.Outcome, result.Assets, result.Status, result.Package).ShouldBe((Outcome.Completed, 5, "Published", "com.example:library"));
        foreach (var (name, bytes) in assets)
            (await File.ReadAllBytesAsync(Path.Combine(bench.Store.Directory!, "my-domain/maven/my-repo/com/example/library/1.0", name), Stop)).ShouldBe(bytes);
        result.RunId.ShouldBe((await bench.RunsAsync()).ShouldHaveSingleItem().RunId);
        var verification = (await bench.RunAsync(RunVerifier.RunAsync(bench.Store, new(), deep: true))).Single();
        (verification.Passed, verification.Checked).ShouldBe((true, 5));
    }

    [Fact]
    public async Task A_second_run_stores_nothing()
    {
        await using var bench = await MavenBench.StartAsync();
        bench.State.Publish("my-repo", MavenBench.Library, "1.0", MavenBench.Assets("1.0"));
        var options = bench.Backup() with { Packages = ["com.example:library"], Versions = ["1.0"] };
        await bench.VersionsAsync(options);
        var before = bench.StoredFiles();
        (await bench.VersionsAsync(options)).Single().Outcome.ShouldBe(Outcome.Unchanged);
        bench.StoredFiles().ShouldBe(before, ignoreOrder: true);
        (await bench.RunsAsync()).Count.ShouldBe(1);
    }

    [Theory]
    [InlineData("string")]
    [InlineData("sqs")]
    [InlineData("sns")]
    [InlineData("sqs with sns")]
    [InlineData("array")]
    public async Task An_event_comes_in_any_wrapping(string wrapping)
    {
        await using var bench = await MavenBench.StartAsync();
        bench.State.Publish("my-repo", MavenBench.Library, "1.0", MavenBench.Assets("1.0"));
        var plain = Event("Published").ToJsonString();
        var text = wrapping switch
        {
            "sqs" => new JsonObject { ["Records"] = new JsonArray(new JsonObject { ["messageId"] = "1", ["body"] = plain, ["eventSource"] = "aws:sqs" }) }.ToJsonString(),
            "sns" => new JsonObject { ["Records"] = new JsonArray(new JsonObject { ["EventSource"] = "aws:sns", ["Sns"] = new JsonObject { ["Type"] = "Notification", ["Message"] = plain } }) }.ToJsonString(),
            "sqs with sns" => new JsonObject { ["Records"] = new JsonArray(new JsonObject { ["body"] = new JsonObject { ["Type"] = "Notification", ["Message"] = plain }.ToJsonString() }) }.ToJsonString(),
            "array" => $"[{plain}]",
            _ => plain,
        };
        (await bench.VersionsAsync(bench.Backup() with { Domain = null, Repository = null, Events = [text] })).Single().Outcome.ShouldBe(Outcome.Completed);
        bench.StoredFiles().Count(file => file.Key.StartsWith("my-domain/", StringComparison.Ordinal)).ShouldBe(5);
    }

    [Fact]
    public async Task The_samples_own_test_event_backs_up_all_assets()
    {
        // As it is in the sample's repository: placeholders for the account, booleans as strings.
        await using var bench = await MavenBench.StartAsync();
        bench.State.Publish("my-repo", MavenBench.Library, "1.0", MavenBench.Assets("1.0"));
        var sample = Event("Published");
        sample["account"] = "<accountnumber>";
        sample["detail"]!["domainOwner"] = "<accountnumber>";
        sample["detail"]!["changes"] = JsonNode.Parse("""{"assetsAdded":0,"assetsRemoved":0,"assetsUpdated":0,"metadataUpdated":"false","statusChanged":"true"}""");
        var result = (await bench.VersionsAsync(bench.Backup() with { DomainOwner = null, Events = [sample.ToJsonString()] })).Single();
        (result.Outcome, result.Assets).ShouldBe((Outcome.Completed, 5));
    }

    [Fact]
    public async Task Events_twice_late_and_in_any_order_give_the_same_store()
    {
        await using var bench = await MavenBench.StartAsync();
        bench.State.Publish("my-repo", MavenBench.Library, "1.0", MavenBench.Assets("1.0"));
        var gone = Event("Deleted", "0.9", "old-revision").ToJsonString();
        string[] events = [Event("Unfinished").ToJsonString(), Event("Published").ToJsonString(), gone];
        await bench.VersionsAsync(bench.Backup() with { Events = events });
        var first = bench.StoredFiles();
        await bench.VersionsAsync(bench.Backup() with { Events = [.. events.Reverse(), .. events] });
        bench.StoredFiles().ShouldBe(first, ignoreOrder: true);
        (await bench.RunsAsync()).Count.ShouldBe(1);
    }

    [Theory]
    [InlineData("Unfinished", Outcome.Deferred)]
    [InlineData("Archived", Outcome.Skipped)]
    [InlineData("Disposed", Outcome.Skipped)]
    [InlineData("Unlisted", Outcome.Completed)]
    public async Task Statuses_count(string status, Outcome outcome)
    {
        await using var bench = await MavenBench.StartAsync();
        bench.State.Publish("my-repo", MavenBench.Library, "1.0", MavenBench.Assets("1.0"), status);
        var result = (await bench.VersionsAsync(bench.Backup() with { Events = [Event(status).ToJsonString()] })).Single();
        (result.Outcome, result.Status).ShouldBe((outcome, status));
        (result.Reason is null).ShouldBe(outcome == Outcome.Completed);
        bench.StoredFiles().Any(file => file.Key.StartsWith("my-domain/", StringComparison.Ordinal)).ShouldBe(outcome == Outcome.Completed);
    }

    [Fact]
    public async Task A_version_that_is_deleted_leaves_a_tombstone_and_all_that_was_stored()
    {
        await using var bench = await MavenBench.StartAsync();
        var revision = bench.State.Publish("my-repo", MavenBench.Library, "1.0", MavenBench.Assets("1.0")).Revision;
        await bench.VersionsAsync(bench.Backup() with { Events = [Event("Published").ToJsonString()] });
        var before = bench.StoredFiles();
        bench.State.Delete("my-repo", MavenBench.Library, "1.0");
        var result = (await bench.VersionsAsync(bench.Backup() with { Events = [Event("Deleted", "1.0", revision).ToJsonString()] })).Single();
        (result.Outcome, result.Status).ShouldBe((Outcome.Skipped, "Deleted"));
        var after = bench.StoredFiles();
        before.Keys.Except(after.Keys, StringComparer.Ordinal).ShouldBeEmpty();
        after.Keys.Except(before.Keys, StringComparer.Ordinal).ShouldHaveSingleItem().ShouldEndWith(".tombstone.json");
    }

    [Fact]
    public async Task A_version_published_again_with_other_bytes_loses_neither()
    {
        await using var bench = await MavenBench.StartAsync();
        bench.State.Publish("my-repo", MavenBench.Library, "1.0", MavenBench.Assets("1.0", seed: "first"));
        var options = bench.Backup() with { Packages = ["com.example:library"] };
        await bench.VersionsAsync(options);
        var before = bench.StoredFiles();
        bench.State.Delete("my-repo", MavenBench.Library, "1.0");
        bench.State.Publish("my-repo", MavenBench.Library, "1.0", MavenBench.Assets("1.0", seed: "second"));
        (await bench.VersionsAsync(options)).Single().Outcome.ShouldBe(Outcome.Completed);
        var after = bench.StoredFiles();
        foreach (var (file, hash) in before)
            after[file].ShouldBe(hash);
        after.Keys.Count(file => file.Contains("/.revisions/", StringComparison.Ordinal)).ShouldBe(3);
    }

    [Fact]
    public async Task A_late_asset_is_a_new_revision()
    {
        await using var bench = await MavenBench.StartAsync();
        var version = bench.State.Publish("my-repo", MavenBench.Library, "1.0", MavenBench.Assets("1.0"));
        var options = bench.Backup() with { Packages = ["com.example:library"] };
        await bench.VersionsAsync(options);
        bench.State.With(() => { version.Add("library-1.0-tests.jar", MavenBench.Bytes("tests", 100)); return 0; });
        var downloads = bench.Count("/v1/package/version/asset");
        (await bench.VersionsAsync(options)).Single().Assets.ShouldBe(6);
        (bench.Count("/v1/package/version/asset") - downloads).ShouldBe(1);
    }

    [Fact]
    public async Task Bytes_that_are_not_what_their_hashes_say_are_never_stored()
    {
        await using var bench = await MavenBench.StartAsync();
        bench.State.Publish("my-repo", MavenBench.Library, "1.0", new Dictionary<string, byte[]>(StringComparer.Ordinal) { ["library-1.0.jar"] = MavenBench.Bytes("x", 1000) });
        bench.Server.Corrupt = true;
        var result = (await bench.VersionsAsync(bench.Backup() with { Packages = ["com.example:library"] })).Single();
        (result.Outcome, result.Kind).ShouldBe((Outcome.Failed, FailureKind.ChecksumMismatch));
        bench.StoredFiles().ShouldBeEmpty();
        (await bench.RunsAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task Throttles_and_cuts_are_gone_through()
    {
        await using var bench = await MavenBench.StartAsync();
        bench.State.Publish("my-repo", MavenBench.Library, "1.0", MavenBench.Assets("1.0"));
        bench.Server.Api.Fail(
            AwsAnswer.Error(429, "ThrottlingException", "Rate exceeded").With("Retry-After", "0.05"),
            new AwsAnswer { Reset = true },
            AwsAnswer.Error(500, "InternalServerException", "oops"),
            new AwsAnswer { Reset = true });
        (await bench.VersionsAsync(bench.Backup() with { Packages = ["com.example:library"] })).Single().Outcome.ShouldBe(Outcome.Completed);
        bench.StoredFiles().Count(file => file.Key.StartsWith("my-domain/", StringComparison.Ordinal)).ShouldBe(5);
    }

    [Fact]
    public async Task What_the_sample_stored_is_adopted()
    {
        await using var bench = await MavenBench.StartAsync();
        var assets = MavenBench.Assets("1.0");
        bench.State.Publish("my-repo", MavenBench.Library, "1.0", assets);
        // The sample stored the first asset alone, and nothing that says its hash.
        var name = assets.Keys.Order(StringComparer.Ordinal).First();
        var file = Path.Combine(bench.Store.Directory!, "my-domain/maven/my-repo/com/example/library/1.0", name);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        await File.WriteAllBytesAsync(file, assets[name], Stop);
        (await bench.VersionsAsync(bench.Backup() with { Packages = ["com.example:library"] })).Single().Outcome.ShouldBe(Outcome.Completed);
        bench.Count("/v1/package/version/asset").ShouldBe(4);
    }

    [Fact]
    public async Task WhatIf_writes_nothing()
    {
        await using var bench = await MavenBench.StartAsync();
        bench.State.Publish("my-repo", MavenBench.Library, "1.0", MavenBench.Assets("1.0"));
        var result = (await bench.VersionsAsync(bench.Backup() with { Packages = ["com.example:library"], WhatIf = true })).Single();
        (result.Outcome, result.Assets, result.WhatIf).ShouldBe((Outcome.Skipped, 5, true));
        await bench.RunAsync(MavenBackup.RunAsync(bench.Backup() with { All = true, WhatIf = true }));
        Directory.Exists(bench.Store.Directory!).ShouldBeFalse();
    }

    [Fact]
    public async Task What_is_not_there_is_an_error_that_says_so()
    {
        await using var bench = await MavenBench.StartAsync();
        var result = (await bench.VersionsAsync(bench.Backup() with { Packages = ["com.example:library"], Versions = ["9"] })).Single();
        (result.Outcome, result.Kind).ShouldBe((Outcome.Failed, FailureKind.NotFound));
        (await Should.ThrowAsync<BackupException>(() => bench.VersionsAsync(bench.Backup() with { Repository = "no-repo", All = true }))).Kind.ShouldBe(FailureKind.NotFound);
        (await Should.ThrowAsync<BackupException>(() => bench.VersionsAsync(bench.Backup() with { Packages = ["library"] }))).Kind.ShouldBe(FailureKind.InvalidInput);
        (await Should.ThrowAsync<BackupException>(() => bench.VersionsAsync(bench.Backup() with { Events = ["{}"] }))).Kind.ShouldBe(FailureKind.InvalidInput);
        (await Should.ThrowAsync<BackupException>(() => bench.VersionsAsync(bench.Backup() with { Events = ["""{"detail-type":"AWS API Call via CloudTrail","detail":{}}"""] }))).Message.ShouldContain("CloudTrail");
    }

    [Fact]
    public async Task A_whole_repository_is_stored_once_and_then_only_listed()
    {
        await using var bench = await MavenBench.StartAsync(pageSize: 3);
        for (var i = 0; i < 7; i++)
        {
            bench.State.Publish("my-repo", new("maven", "com.example", $"lib{i}"), "1.0", MavenBench.Assets("1.0", $"lib{i}"));
            bench.State.Publish("my-repo", new("maven", "com.example.lib", $"lib{i}"), "2.0", MavenBench.Assets("2.0", $"lib{i}"), "Unlisted");
        }

        bench.State.Publish("my-repo", new("maven", "com.other", "odd"), "1", MavenBench.Assets("1"), "Unfinished");
        bench.State.Publish("my-repo", new("npm", "scope", "left-pad"), "1.0.0", new Dictionary<string, byte[]>(StringComparer.Ordinal) { ["package.tgz"] = MavenBench.Bytes("npm", 10) });

        var summary = (await bench.RunAsync(MavenBackup.RunAsync(bench.Backup() with { All = true }))).OfType<RepositoryResult>().Single();
        (summary.Outcome, summary.Stored, summary.Skipped, summary.Assets, summary.Failed).ShouldBe((Outcome.Completed, 14, 1, 70, 0));
        var run = (await bench.RunsAsync()).ShouldHaveSingleItem();
        (run.SourceName, run.TotalObjects).ShouldBe(("my-domain/my-repo", 70));

        var requests = bench.Server.Api.Requests.Count;
        var again = (await bench.RunAsync(MavenBackup.RunAsync(bench.Backup() with { All = true }))).OfType<RepositoryResult>().Single();
        (again.Outcome, again.Unchanged, again.RunId).ShouldBe((Outcome.Unchanged, 14, null));
        bench.Server.Api.Requests.Skip(requests).Select(r => r.RawPath).Distinct(StringComparer.Ordinal).ShouldBe(["/v1/packages", "/v1/package/versions"], ignoreOrder: true);
        (await bench.RunsAsync()).Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_whole_repository_remembers_what_is_gone_and_what_changed()
    {
        await using var bench = await MavenBench.StartAsync();
        foreach (var version in (string[])["1.0", "1.1", "1.2"])
            bench.State.Publish("my-repo", MavenBench.Library, version, MavenBench.Assets(version));
        await bench.RunAsync(MavenBackup.RunAsync(bench.Backup() with { All = true }));
        bench.State.Delete("my-repo", MavenBench.Library, "1.0");
        bench.State.With(() => bench.State.Find("my-repo", MavenBench.Library)!.Versions["1.1"].Status = "Unlisted");
        bench.State.Publish("my-repo", MavenBench.Library, "1.3", MavenBench.Assets("1.3"));

        var outputs = await bench.RunAsync(MavenBackup.RunAsync(bench.Backup() with { All = true }));
        var summary = outputs.OfType<RepositoryResult>().Single();
        (summary.Outcome, summary.Gone, summary.Unchanged, summary.Assets).ShouldBe((Outcome.Completed, 1, 1, 5));
        outputs.OfType<PackageVersionResult>().Select(r => $"{r.Version} {r.Outcome} {r.Status}").Order(StringComparer.Ordinal).ShouldBe(["1.0 Skipped Deleted", "1.1 Completed Unlisted", "1.3 Completed Published"]);
        (await bench.RunAsync(MavenBackup.RunAsync(bench.Backup() with { All = true }))).OfType<RepositoryResult>().Single().Outcome.ShouldBe(Outcome.Unchanged);
        var files = Directory.GetFiles(Path.Combine(bench.Store.Directory!, "my-domain/maven/my-repo/com/example/library/1.0"));
        files.Count(file => !Path.GetFileName(file).StartsWith('.')).ShouldBe(5);
    }

    [Fact]
    public async Task A_repository_that_lists_nothing_any_more_is_refused()
    {
        await using var bench = await MavenBench.StartAsync();
        bench.State.Publish("my-repo", MavenBench.Library, "1.0", MavenBench.Assets("1.0"));
        await bench.RunAsync(MavenBackup.RunAsync(bench.Backup() with { All = true }));
        bench.State.Delete("my-repo", MavenBench.Library, "1.0");
        (await Should.ThrowAsync<BackupException>(() => bench.RunAsync(MavenBackup.RunAsync(bench.Backup() with { All = true })))).Kind.ShouldBe(FailureKind.DeletionRefused);
        (await bench.RunsAsync()).Count.ShouldBe(1);
    }

    [Fact]
    public async Task Namespaces_shards_and_times_select()
    {
        await using var bench = await MavenBench.StartAsync();
        foreach (var name in (string[])["com.example", "com.example.sub", "com.examples", "org.other"])
            bench.State.Publish("my-repo", new("maven", name, "lib"), "1.0", MavenBench.Assets("1.0", "lib"));
        bench.State.With(() => bench.State.Find("my-repo", new("maven", "org.other", "lib"))!.Versions["1.0"].Published = DateTimeOffset.UtcNow.AddDays(-30));

        (await bench.VersionsAsync(bench.Backup() with { All = true, Namespace = "com.example", WhatIf = true })).Select(r => r.Package).ShouldBe(["com.example:lib", "com.example.sub:lib"], ignoreOrder: true);
        (await bench.VersionsAsync(bench.Backup() with { All = true, Since = DateTimeOffset.UtcNow.AddDays(-1), WhatIf = true })).Count.ShouldBe(3);
        var parts = new List<string>();
        for (var i = 1; i <= 3; i++)
            parts.AddRange((await bench.VersionsAsync(bench.Backup() with { All = true, Shard = (i, 3) })).Select(r => r.Package));
        parts.ShouldBe(["com.example:lib", "com.example.sub:lib", "com.examples:lib", "org.other:lib"], ignoreOrder: true);
    }

    [Fact]
    public async Task Other_formats_go_the_same_way()
    {
        await using var bench = await MavenBench.StartAsync();
        bench.State.Publish("my-repo", new("npm", "scope", "left-pad"), "1.0.0", new Dictionary<string, byte[]>(StringComparer.Ordinal) { ["package.tgz"] = MavenBench.Bytes("npm", 10) });
        bench.State.Publish("my-repo", new("generic", null, "tool"), "1.0.0", new Dictionary<string, byte[]>(StringComparer.Ordinal) { ["tool.tgz"] = MavenBench.Bytes("tool", 10) });
        var summary = (await bench.RunAsync(MavenBackup.RunAsync(bench.Backup() with { All = true, Formats = ["npm", "generic"] }))).OfType<RepositoryResult>().Single();
        (summary.Outcome, summary.Assets).ShouldBe((Outcome.Completed, 2));
        bench.StoredFiles().Keys.Where(f => f.StartsWith("my-domain/", StringComparison.Ordinal)).ShouldBe(["my-domain/npm/my-repo/scope/left-pad/1.0.0/package.tgz", "my-domain/generic/my-repo/tool/1.0.0/tool.tgz"], ignoreOrder: true);
    }

    private static JsonObject Event(string state, string version = "1.0", string revision = "REVISION") => new()
    {
        ["version"] = "0",
        ["id"] = "73f03fec-a137-971e-6ac6-07c8ffffffff",
        ["detail-type"] = "CodeArtifact Package Version State Change",
        ["source"] = "aws.codeartifact",
        ["account"] = MavenBench.Owner,
        ["time"] = "2024-05-11T16:48:21Z",
        ["region"] = "us-west-2",
        ["resources"] = new JsonArray("arn:aws:codeartifact:us-west-2:111122223333:package/my-domain/my-repo/maven/com.example/library"),
        ["detail"] = new JsonObject
        {
            ["domainName"] = "my-domain",
            ["domainOwner"] = MavenBench.Owner,
            ["repositoryName"] = "my-repo",
            ["repositoryAdministrator"] = MavenBench.Owner,
            ["packageFormat"] = "maven",
            ["packageNamespace"] = "com.example",
            ["packageName"] = "library",
            ["packageVersion"] = version,
            ["packageVersionState"] = state,
            ["packageVersionRevision"] = revision,
            ["changes"] = new JsonObject { ["assetsAdded"] = 0, ["assetsRemoved"] = 0, ["metadataUpdated"] = false, ["assetsUpdated"] = 0, ["statusChanged"] = true },
            ["operationType"] = state == "Deleted" ? "Deleted" : "Updated",
            ["sequenceNumber"] = 2,
            ["eventDeduplicationId"] = "2mEO0A2Ke07rWUTBXk3CAiQhdTXF4N94LNaT/ffffff=",
        },
    };
}
