using Backup.Engine.Plans;
using Backup.Engine.Runs;
using Backup.Engine.Stores;
using Backup.Engine.Tests.Fixtures;

namespace Backup.Engine.Tests.Plans;

public sealed class PlanRunTests : IDisposable
{
    private readonly TemporaryDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_job_that_fails_in_the_middle_ends_no_other()
    {
        Source("one");
        Source("three");
        var results = await RunAsync(Three);
        results.OrderBy(result => result.Name).Select(result => (result.Name, result.Outcome)).ShouldBe([("one", Outcome.Completed), ("three", Outcome.Completed), ("two", Outcome.Failed)]);
        var failed = results.Single(result => result.Name == "two");
        failed.Kind.ShouldBe(FailureKind.NotFound);
        failed.Failures.ShouldHaveSingleItem().Item.ShouldBe(_folder.Combine("two"));
        failed.RunIds.ShouldBeEmpty();
        await using var store = await ObjectStores.OpenAsync(StoreLocation.ForDirectory(_folder.Combine("store")), cancellationToken: TestContext.Current.CancellationToken);
        foreach (var good in results.Where(result => result.Outcome == Outcome.Completed))
        {
            var run = await new RunCatalog(store).FindLatestAsync("folders", CatalogSource.FromName(_folder.Combine(good.Name)), null, TestContext.Current.CancellationToken);
            run!.RunId.ShouldBe(good.RunIds.ShouldHaveSingleItem());
            good.Bytes.ShouldBe(5);
            (good.Items, good.Completed, good.Failed).ShouldBe((1, 1, 0));
        }

        (await RunAsync(Three)).Where(result => result.Name != "two").ShouldAllBe(result => result.Outcome == Outcome.Unchanged && result.RunIds.Count == 0);
    }

    [Fact]
    public async Task WhatIf_says_what_each_job_would_do_and_writes_nothing()
    {
        Source("one");
        Source("three");
        var before = Tree();
        var results = await RunAsync(Three, options => options with { WhatIf = true });
        Tree().ShouldBe(before);
        results.Single(result => result.Name == "one").Plan.ShouldHaveSingleItem().ShouldContain("1 new");
        results.Where(result => result.Name != "two").ShouldAllBe(result => result.WhatIf && result.Outcome == Outcome.Skipped && result.RunIds.Count == 0);
        results.Single(result => result.Name == "two").Outcome.ShouldBe(Outcome.Failed);
    }

    [Fact]
    public async Task A_job_that_the_plan_does_not_have_stops_everything_before_it_begins()
    {
        Source("one");
        var failure = await Should.ThrowAsync<BackupException>(() => RunAsync(Three, options => options with { Jobs = ["one", "oen"] }));
        (failure.Kind, failure.Message.Contains("'oen'", StringComparison.Ordinal), failure.Advice).ShouldBe((FailureKind.NotFound, true, "It has one, two, three."));
        Directory.Exists(_folder.Combine("store")).ShouldBeFalse();
    }

    [Fact]
    public async Task Patterns_choose_jobs_and_what_is_switched_off_stays_off()
    {
        Source("one");
        Source("three");
        var plan = Three + "\n  - {name: t-off, system: folders, path: one, cachePath: cache, enabled: false}";
        var results = await RunAsync(plan, options => options with { Jobs = ["T*", "one"] });
        results.Select(result => result.Name).Order(StringComparer.Ordinal).ShouldBe(["one", "t-off", "three", "two"]);
        results.Single(result => result.Name == "t-off").ShouldSatisfyAllConditions(
            result => result.Outcome.ShouldBe(Outcome.Skipped),
            result => result.Reason.ShouldBe("It is switched off in the plan."),
            result => result.Started.ShouldBeNull());
        (await RunAsync(plan, options => options with { Jobs = ["t?ree"] })).ShouldHaveSingleItem().Name.ShouldBe("three");
    }

    [Fact]
    public async Task A_secret_that_is_not_there_fails_its_job_alone_and_no_result_holds_one()
    {
        Source("one");
        var name = $"PLAN_TEST_{Guid.NewGuid():N}";
        var results = await RunAsync($$"""
            destination: store
            jobs:
              - {name: one, system: folders, path: one, cachePath: cache}
              - {name: wiki, system: confluence, site: 'http://127.0.0.1:9', user: a@b.c, apiToken: 'env:{{name}}'}
              - {name: code, system: github, organization: acme, apiUri: 'http://127.0.0.1:9/api/v3', token: 'file:no-such-file'}
            """);
        results.Single(result => result.Name == "one").Outcome.ShouldBe(Outcome.Completed);
        results.Single(result => result.Name == "wiki").Reason.ShouldBe($"The environment variable {name} is not set.");
        results.Single(result => result.Name == "code").ShouldSatisfyAllConditions(
            result => result.Kind.ShouldBe(FailureKind.NotFound),
            result => result.Reason!.ShouldContain(_folder.Combine("no-such-file")));
    }

    [Fact]
    public async Task A_cancellation_ends_the_jobs_and_their_results_come_before_it()
    {
        Source("one", 20_000_000);
        using var stop = new CancellationTokenSource();
        var results = new List<BackupJobResult>();
        var progress = new Callback(report =>
        {
            if (report.BytesDone > 0)
                stop.Cancel();
        });
        var options = new PlanRunOptions { Plan = Load("destination: store\nthrottle: 1\njobs:\n  - {name: one, system: folders, path: one, cachePath: cache}\n  - {name: late, system: folders, path: one, destination: late, cachePath: cache}") };
        await Should.ThrowAsync<OperationCanceledException>(async () =>
        {
            await foreach (var result in PlanRun.RunAsync(options, progress, stop.Token))
                results.Add(result);
        });
        var only = results.ShouldHaveSingleItem();
        (only.Name, only.Outcome, only.Kind).ShouldBe(("one", Outcome.Failed, FailureKind.Cancelled));
        Directory.Exists(_folder.Combine("late")).ShouldBeFalse();
    }

    [Fact]
    public void Jobs_side_by_side_share_memory_and_line()
    {
        var plan = PlanText.Read("destination: /d\nmaxBandwidth: 1000\njobs:\n  - {name: a, system: folders, path: /a}\n  - {name: b, system: folders, path: /b, maxBandwidth: 700}");
        var a = new JobContext { Job = plan.Jobs[0], SideBySide = 4 };
        (a.Store.MaxBandwidth, a.Store.MemoryBudget).ShouldBe((250L, 32L << 20));
        (a with { Job = plan.Jobs[1] }).Store.MaxBandwidth.ShouldBe(700L);
    }

    [Fact]
    public void What_is_the_plans_own_is_no_jobs()
    {
        // Both have a version and a throttle.
        var plan = PlanText.Read("version: 1\nthrottle: 3\ndestination: /d\njobs:\n  - {name: lib, system: maven, domain: d, repository: r, package: 'a:b'}\n  - {name: vm, system: ec2, instanceId: i-00000001, backupVaultName: v, iamRoleArn: r}");
        MavenPlan.OptionsOf(new() { Job = plan.Jobs[0] }).Versions.ShouldBeEmpty();
        PrePostPlan.OptionsOf(new() { Job = plan.Jobs[1] }).Throttle.ShouldBe(50);
    }

    [Theory]
    [InlineData("objectLockMode: GOVERNANCE, storageClass: STANDARD", "'objectLockMode' and 'objectLockDays'")]
    [InlineData("kmsKeyId: k", "'kmsKeyId' needs")]
    [InlineData("endpointUrl: 'http://[x'", "'endpointUrl' of the plan is no address")]
    [InlineData("destination: \"a\\0b\"", "ull character")]
    public async Task What_does_not_fit_fails_its_job_alone(string settings, string reason)
    {
        Source("one");
        var results = await RunAsync($"destination: store\njobs:\n  - {{name: bad, system: folders, path: one, {settings}, cachePath: cache}}\n  - {{name: lib, system: maven, domain: d, repository: r, {settings}}}\n  - {{name: one, system: folders, path: one, cachePath: cache}}");
        results.Single(result => result.Name == "bad").ShouldSatisfyAllConditions(result => result.Outcome.ShouldBe(Outcome.Failed), result => result.Reason!.ShouldContain(reason));
        results.Single(result => result.Name == "lib").Outcome.ShouldBe(Outcome.Failed);
        results.Single(result => result.Name == "one").Outcome.ShouldBe(Outcome.Completed);
    }

    [Fact]
    public void What_a_job_says_goes_before_what_is_given_and_that_before_the_plan()
    {
        var plan = PlanText.Read("""
            destination: s3://bucket/x
            profileName: plan
            region: eu-central-1
            endpointUrl: https://plan.example
            jobs:
              - {name: plain, system: folders, path: /a}
              - {name: own, system: folders, path: /b, profileName: own, region: us-east-1, endpointUrl: 'https://own.example'}
            """);
        var given = new Engine.Aws.AwsOptions { Region = "eu-west-1", Keys = new("AKIA", "secret", null) };
        var (plain, own) = (new JobContext { Job = plan.Jobs[0], Given = given }, new JobContext { Job = plan.Jobs[1], Given = given });
        (plain.Aws.ProfileName, plain.Aws.Keys?.AccessKey, plain.Aws.Region, plain.Aws.EndpointUrl!.Host).ShouldBe((null, "AKIA", "eu-west-1", "plan.example"));
        (own.Aws.ProfileName, own.Aws.Keys, own.Aws.Region, own.Aws.EndpointUrl!.Host).ShouldBe(("own", null, "us-east-1", "own.example"));
        (new JobContext { Job = plan.Jobs[0] }.Aws.ProfileName, new JobContext { Job = plan.Jobs[0] }.Aws.Region).ShouldBe(("plan", "eu-central-1"));
        // Keys that were given for an endpoint are not AWS's.
        (plain.Services.Keys, plain.Services.EndpointUrl).ShouldBe((null, null));
    }

    [Fact]
    public void The_worst_of_the_items_is_the_jobs_own_and_nothing_found_is_a_failure()
    {
        var job = PlanText.Read("destination: /d\njobs:\n  - {name: a, system: folders, path: /a}").Jobs[0];
        BackupJobResult Of(params Outcome[] outcomes)
        {
            var tally = new JobTally();
            foreach (var outcome in outcomes)
            {
                tally.AddItem(outcome, 1, null, "why");
                if (outcome == Outcome.Failed)
                    tally.AddFailure("item", FailureKind.Corrupt, "It is bad.", null);
            }

            return tally.ToResult(job, whatIf: false);
        }

        Of(Outcome.Unchanged, Outcome.Skipped).Outcome.ShouldBe(Outcome.Unchanged);
        Of(Outcome.Unchanged, Outcome.Completed).Outcome.ShouldBe(Outcome.Completed);
        Of(Outcome.Completed, Outcome.Deferred).ShouldSatisfyAllConditions(result => result.Outcome.ShouldBe(Outcome.Deferred), result => result.Reason.ShouldBe("why"));
        Of(Outcome.Completed, Outcome.Failed).ShouldSatisfyAllConditions(result => result.Outcome.ShouldBe(Outcome.Failed), result => result.Kind.ShouldBe(FailureKind.Corrupt), result => result.Reason.ShouldBe("item: It is bad."));
        Of().ShouldSatisfyAllConditions(result => result.Outcome.ShouldBe(Outcome.Failed), result => result.Kind.ShouldBe(FailureKind.NotFound));
    }

    private const string Three = """
        destination: store
        jobs:
          - {name: one, system: folders, path: one, cachePath: cache}
          - {name: two, system: folders, path: two, cachePath: cache}
          - {name: three, system: folders, path: three, cachePath: cache}
        """;

    private void Source(string name, int size = 5)
    {
        Directory.CreateDirectory(_folder.Combine(name));
        File.WriteAllBytes(_folder.Combine(name, "file"), new byte[size]);
    }

    private BackupPlan Load(string text) => PlanText.Read(text, _folder.Path);

    private async Task<IReadOnlyList<BackupJobResult>> RunAsync(string plan, Func<PlanRunOptions, PlanRunOptions>? also = null)
    {
        var options = new PlanRunOptions { Plan = Load(plan) };
        var results = new List<BackupJobResult>();
        await foreach (var result in PlanRun.RunAsync(also?.Invoke(options) ?? options, null, TestContext.Current.CancellationToken))
            results.Add(result);
        return results;
    }

    private List<string> Tree() => [.. Directory.EnumerateFileSystemEntries(_folder.Path, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)];

    private sealed class Callback(Action<BackupProgress> report) : IProgress<BackupProgress>
    {
        public void Report(BackupProgress value) => report(value);
    }
}
