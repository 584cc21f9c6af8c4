using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Backup.Engine.Stores;
using Backup.Engine.Tests.Fixtures;
using Backup.Engine.Tests.Stores.S3;
using Backup.TestServers.S3;

namespace Backup.Engine.Tests.Host;

/// <summary>What scripts depend on: exit codes, and what is on which stream.</summary>
public sealed class HostCommandTests(StrictS3Fixture s3) : IClassFixture<StrictS3Fixture>, IDisposable
{
    private readonly TemporaryDirectory _place = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _place.Dispose();

    [Fact]
    public async Task Json_is_one_object_a_line_and_nothing_else()
    {
        var source = Folder(("a.txt", "one"), ("sub/b.txt", "two"));
        var store = _place.Combine("store");

        var synced = Json(await RunAsync("sync", source, "--to", store, "--cache", _place.Combine("cache"), "--json")).ShouldHaveSingleItem();
        (Text(synced, "type"), Text(synced, "outcome"), (long?)synced["new"]).ShouldBe(("folderSyncResult", "Completed", 2));
        synced["duration"]!.GetValueKind().ShouldBe(System.Text.Json.JsonValueKind.Number);

        var run = Json(await RunAsync("runs", store, "--json", "--system", "folders", "--latest")).ShouldHaveSingleItem();
        (Text(run, "type"), Text(run, "runId"), Text(run, "sourceName")).ShouldBe(("backupRun", Text(synced, "runId"), source));

        var verified = Json(await RunAsync("verify", store, "--deep", "--record", "--json")).ShouldHaveSingleItem();
        (Text(verified, "type"), (bool?)verified["passed"], (long?)verified["checked"]).ShouldBe(("runVerification", true, 2));
        Directory.GetFiles(store, "*.deep.json", SearchOption.AllDirectories).Length.ShouldBe(1);

        var restored = Json(await RunAsync("restore", store, "--to", _place.Combine("copy"), "--json")).ShouldHaveSingleItem();
        (Text(restored, "type"), (long?)restored["restored"]).ShouldBe(("restoreSummary", 2));
        (await File.ReadAllTextAsync(_place.Combine("copy", "sub", "b.txt"), Stop)).ShouldBe("two");
    }

    [Fact]
    public async Task A_restore_that_is_only_thought_of_writes_nothing()
    {
        var store = _place.Combine("store");
        (await RunAsync("sync", Folder(("a.txt", "one")), "--to", store, "--cache", _place.Combine("cache"))).ExitCode.ShouldBe(0);
        var result = await RunAsync("restore", store, "--to", _place.Combine("copy"), "--what-if");
        result.Succeeded().ShouldContain("WhatIf. 1 restored");
        Directory.Exists(_place.Combine("copy")).ShouldBeFalse();
    }

    [Fact]
    public async Task Damage_is_1_and_named_on_standard_error_without_colours()
    {
        var store = _place.Combine("store");
        (await RunAsync("sync", Folder(("a.txt", "one"), ("b.txt", "two")), "--to", store, "--cache", _place.Combine("cache"))).ExitCode.ShouldBe(0);
        File.Delete(Directory.GetFiles(store, "a.txt", SearchOption.AllDirectories).Single());
        foreach (string[] json in (string[][])[[], ["--json"]])
        {
            var result = await RunAsync(["verify", store, .. json]);
            result.ExitCode.ShouldBe(1);
            result.Error.ShouldContain("a.txt: ");
            (result.Output + result.Error).ShouldNotContain('\e');
        }
    }

    [Fact]
    public async Task What_cannot_be_begun_is_2()
    {
        var cases = new (string[] Arguments, string Says)[]
        {
            (["verify"], "Required argument missing"),
            (["nonsense"], "nonsense"),
            (["verify", "s3://UPPER/x"], "bucket name"),
            (["verify", _place.Combine("nowhere")], "nowhere"),
            (["verify", "s3://b", "--endpoint-url", "ftp://x"], "not an http"),
            (["restore", _place.Combine("nowhere"), "--run", "x", "--folder", "/y"], "as well"),
            (["lambda"], "AWS_LAMBDA_RUNTIME_API"),
        };
        foreach (var (arguments, says) in cases)
        {
            var result = await RunAsync(arguments);
            (string.Join(' ', arguments), result.ExitCode).ShouldBe((string.Join(' ', arguments), 2));
            result.Error.ShouldContain(says);
        }
    }

    [Fact]
    public async Task What_ends_a_command_is_a_line_of_json_too()
    {
        var result = await RunAsync("runs", _place.Combine("nowhere"), "--json");
        result.ExitCode.ShouldBe(2);
        var error = HostProgram.Lines(result.Output).ShouldHaveSingleItem();
        (Text(error, "type"), Text(error, "kind")).ShouldBe(("error", "NotFound"));
        result.Error.ShouldContain(Text(error, "message")!);
    }

    [Fact]
    public async Task Archived_objects_are_3()
    {
        var store = $"s3://{StrictS3Fixture.Bucket}/cold";
        (await RunS3Async("sync", Folder(("a.txt", "one")), "--to", store, "--cache", _place.Combine("cache"), "--storage-class", "DEEP_ARCHIVE")).Succeeded();
        (await RunS3Async("verify", store)).ExitCode.ShouldBe(0);
        var deep = await RunS3Async("verify", store, "--deep");
        (deep.ExitCode, deep.Output.Contains("not proven", StringComparison.Ordinal)).ShouldBe((3, true));
        (await RunS3Async("restore", store, "--to", _place.Combine("copy"))).ExitCode.ShouldBe(3);
    }

    [Fact]
    public async Task Ctrl_C_ends_with_130_and_leaves_no_upload_behind()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "There are no signals.");
        var source = Folder();
        await File.WriteAllBytesAsync(Path.Combine(source, "large.bin"), new byte[24 << 20], Stop);
        var hang = s3.Server.Faults.Add(new Fault { Match = request => request is { Operation: "UploadPart", PartNumber: 2 }, Action = FaultAction.Hang, Times = int.MaxValue });
        try
        {
            using var host = HostProgram.Start(S3Environment(), "sync", source, "--to", $"s3://{StrictS3Fixture.Bucket}/stopped", "--cache", _place.Combine("cache"));
            await WaitAsync(() => hang.Hits > 0);
            host.Signal(PosixSignal.SIGINT);
            var result = await host.EndAsync();
            (result.ExitCode, result.Error.Contains("Interrupted", StringComparison.Ordinal)).ShouldBe((130, true));
        }
        finally
        {
            s3.Server.Faults.Clear();
        }

        s3.Server.Requests.Count(request => request.Operation == "AbortMultipartUpload").ShouldBeGreaterThan(0);
        await using var store = await ObjectStores.OpenAsync(StoreLocation.ForBucket(StrictS3Fixture.Bucket, "stopped"), s3.Options, Stop);
        (await store.ListAsync(cancellationToken: Stop).ToListAsync(Stop)).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_plan_gives_a_result_a_job_and_one_that_fails_does_not_end_the_others()
    {
        var plan = _place.Combine("plan.yaml");
        await File.WriteAllTextAsync(plan, $"""
            destination: {_place.Combine("store")}
            jobs:
              - name: broken
                system: folders
                path: {_place.Combine("nowhere")}
                cachePath: {_place.Combine("cache")}
              - name: documents
                system: folders
                path: {Folder(("a.txt", "one"))}
                cachePath: {_place.Combine("cache")}
            """, Stop);

        var planned = await RunAsync("run", plan, "--job", "doc*", "--what-if");
        planned.Succeeded().ShouldContain("documents (folders): WhatIf.");
        Directory.Exists(_place.Combine("store")).ShouldBeFalse();

        var check = await RunAsync("check", plan, "--json");
        check.ExitCode.ShouldBe(1);
        HostProgram.Lines(check.Output).Where(line => Text(line, "status") == "Failed").ShouldAllBe(line => Text(line, "type") == "planCheck" && Text(line, "job") == "broken");
        (await RunAsync("check", plan, "--job", "documents")).ExitCode.ShouldBe(0);
        Directory.Exists(_place.Combine("store")).ShouldBeFalse();

        var result = await RunAsync("run", plan, "--json");
        result.ExitCode.ShouldBe(1);
        result.Error.ShouldContain("nowhere");
        var lines = HostProgram.Lines(result.Output);
        lines.Where(line => Text(line, "type") == "backupJobResult").Select(line => $"{Text(line, "name")} {Text(line, "outcome")}").Order(StringComparer.Ordinal).ShouldBe(["broken Failed", "documents Completed"]);
        (Text(lines[^1], "type"), (int?)lines[^1]["jobs"], (int?)lines[^1]["failed"]).ShouldBe(("planSummary", 2, 1));
        (await RunAsync("run", plan, "--job", "documents")).Succeeded().ShouldContain("documents (folders): Unchanged.");

        (await RunAsync("run", plan, "--job", "documnets")).ExitCode.ShouldBe(2);
        (await RunAsync("run", _place.Combine("no.yaml"))).ExitCode.ShouldBe(2);
    }

    [Fact]
    public async Task Help_names_every_command_and_every_exit_code()
    {
        var help = (await RunAsync("--help")).Succeeded();
        foreach (var word in (string[])["quickstart", "run", "check", "sync", "runs", "verify", "restore", "lambda", "--json", "0 done", "1 something", "2 nothing", "3 archived", "130 interrupted"])
            help.ShouldContain(word);
    }

    private static Task<PeerResult> RunAsync(params string[] arguments) => HostProgram.RunAsync(null, arguments);

    private Task<PeerResult> RunS3Async(params string[] arguments) => HostProgram.RunAsync(S3Environment(), arguments);

    private Dictionary<string, string?> S3Environment() => new(StringComparer.Ordinal)
    {
        ["AWS_ENDPOINT_URL_S3"] = s3.Server.Endpoint.AbsoluteUri,
        ["AWS_ACCESS_KEY_ID"] = s3.Server.Options.AccessKey,
        ["AWS_SECRET_ACCESS_KEY"] = s3.Server.Options.SecretKey,
        ["AWS_REGION"] = s3.Server.Options.Region,
    };

    private static List<JsonObject> Json(PeerResult result)
    {
        result.Succeeded();
        result.Error.ShouldBeEmpty();
        return HostProgram.Lines(result.Output);
    }

    private static string? Text(JsonObject line, string name) => (string?)line[name];

    private static async Task WaitAsync(Func<bool> condition)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        patience.CancelAfter(TimeSpan.FromSeconds(60));
        while (!condition())
            await Task.Delay(20, patience.Token);
    }

    private string Folder(params (string Name, string Text)[] files)
    {
        var source = _place.Combine("source");
        Directory.CreateDirectory(source);
        foreach (var (name, text) in files)
        {
            var path = Path.Combine(source, name);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, text);
        }

        return source;
    }
}
