using Backup.Engine.Plans;

namespace Backup.Engine.Tests.Plans;

public sealed class JobScheduleTests
{
    private const string Plan = """
        destination: /backup
        jobs:
          - {name: a, system: folders, path: /a}
          - {name: b, system: folders, path: /b}
          - {name: c, system: folders, path: /c, destination: /elsewhere}
          - {name: wiki, system: confluence, site: acme, user: u, apiToken: 'env:T'}
          - {name: issues, system: jira, site: acme.atlassian.net, user: u, apiToken: 'env:T'}
          - {name: other, system: jira, site: other, user: u, apiToken: 'env:T'}
          - {name: code, system: github, organization: acme, token: 'env:G'}
          - {name: more, system: github, organization: more, token: 'env:G', destination: /more}
          - {name: lib, system: maven, domain: d, repository: r}
          - {name: ec2, system: ec2, instanceId: i-00000001, backupVaultName: v, iamRoleArn: r}
          - {name: again, system: ec2, tagKey: k, tagValue: v, backupVaultName: v, iamRoleArn: r}
          - {name: far, system: ec2, tagKey: k, tagValue: v, backupVaultName: v, iamRoleArn: r, region: us-east-1}
        """;

    [Fact]
    public async Task What_competes_waits_and_nothing_else_does()
    {
        await using var running = new Running(Plan, sideBySide: 32);
        // One of each destination, site, token and region.
        await running.StartedAsync("a", "c", "wiki", "other", "code", "lib", "ec2", "far");
        running.Finish("a");
        await running.StartedAsync("b");
        running.Finish("wiki");
        await running.StartedAsync("issues");
        running.Finish("code");
        await running.StartedAsync("more");
        running.Finish("ec2");
        await running.StartedAsync("again");
        running.FinishAll();
        await running.Whole;
    }

    [Fact]
    public async Task No_more_run_side_by_side_than_the_plan_says_in_the_order_of_the_plan()
    {
        await using var running = new Running(Plan, sideBySide: 2);
        await running.StartedAsync("a", "c");
        running.Finish("c");
        await running.StartedAsync("wiki");
        running.Finish("a");
        await running.StartedAsync("b");
        running.FinishAll();
        await running.Whole;
    }

    [Fact]
    public async Task Once_cancelled_no_further_job_begins()
    {
        await using var running = new Running(Plan, sideBySide: 1);
        await running.StartedAsync("a");
        await running.Stop.CancelAsync();
        running.Finish("a");
        await running.Whole;
        running.Begun.ShouldBe(["a"]);
    }

    /// <summary>A schedule whose jobs run until they are told to end.</summary>
    private sealed class Running : IAsyncDisposable
    {
        private readonly Lock _lock = new();
        private readonly Dictionary<string, TaskCompletionSource> _ends = [];
        private readonly List<string> _begun = [];
        private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _told;
        private bool _isOver;

        public Running(string plan, int sideBySide)
        {
            var jobs = PlanText.Read(plan, "/").Jobs.Select(job => new JobContext { Job = job, Given = new() { Region = "eu-central-1" } });
            Whole = Task.Run(() => new JobSchedule(sideBySide).RunAsync(jobs, job => BeginAsync(job.Job.Name), Stop.Token));
        }

        public CancellationTokenSource Stop { get; } = new();

        public Task Whole { get; }

        public IReadOnlyList<string> Begun
        {
            get
            {
                lock (_lock)
                    return [.. _begun];
            }
        }

        /// <summary>These, and no others, have begun since this was asked last.</summary>
        public async Task StartedAsync(params string[] names)
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
            while (true)
            {
                Task changed;
                lock (_lock)
                {
                    var begun = _begun.Skip(_told).ToList();
                    if (begun.Count >= names.Length)
                    {
                        begun.Order(StringComparer.Ordinal).ShouldBe(names.Order(StringComparer.Ordinal));
                        _told = _begun.Count;
                        return;
                    }

                    changed = _changed.Task;
                }

                await changed.WaitAsync(patience.Token);
            }
        }

        public void Finish(string name)
        {
            lock (_lock)
                _ends[name].SetResult();
        }

        public void FinishAll()
        {
            lock (_lock)
            {
                _isOver = true;
                foreach (var end in _ends.Values)
                    end.TrySetResult();
            }
        }

        public async ValueTask DisposeAsync()
        {
            FinishAll();
            await Whole;
            Stop.Dispose();
        }

        private Task BeginAsync(string name)
        {
            lock (_lock)
            {
                _begun.Add(name);
                var end = _ends[name] = new(TaskCreationOptions.RunContinuationsAsynchronously);
                if (_isOver)
                    end.SetResult();
                _changed.SetResult();
                _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
                return end.Task;
            }
        }
    }
}
