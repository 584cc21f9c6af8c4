using Backup.Engine.PrePost;
using Backup.Engine.Runs;
using Backup.Engine.Stores;
using Backup.Engine.Tests.Fixtures;
using Backup.TestServers.PrePost;

namespace Backup.Engine.Tests.PrePost;

/// <summary>A fleet, a store for the journal, and options that name both.</summary>
internal sealed class PrePostPlace : IAsyncDisposable
{
    private readonly TemporaryDirectory _store = new();

    private PrePostPlace(Fleet fleet) => Fleet = fleet;

    public static string Role { get; } = $"arn:aws:iam::{Fleet.Account}:role/backup";

    public Fleet Fleet { get; }

    public StoreLocation Location => StoreLocation.ForDirectory(_store.Path);

    /// <summary>Deadlines for tests: what has to pass is waited for, what has to fail fails soon.</summary>
    public PrePostDeadlines Deadlines { get; set; } = new() { Lookup = TimeSpan.FromSeconds(1.5), Cancel = TimeSpan.FromSeconds(5), Settling = TimeSpan.FromMilliseconds(500) };

    public static async Task<PrePostPlace> CreateAsync() => new(await Fleet.StartAsync());

    public static StoreOptions StoreOptions => new() { Aws = new() { Region = Fleet.Region, Keys = new("test", "testsecret") } };

    public PrePostOptions Options(params FleetInstance[] instances) => new()
    {
        InstanceIds = [.. instances.Select(i => i.Id)],
        BackupVaultName = "vault",
        IamRoleArn = Role,
        PreScript = Say("pre"),
        PostScript = Say("post"),
        StopInstance = true,
        Destination = Location,
        Store = StoreOptions,
        Aws = StoreOptions.Aws,
        Deadlines = Deadlines,
        AwsEndpoint = Fleet.Endpoint,
    };

    public PrePostResumeOptions ResumeOptions(string runId, bool force = false) => new()
    {
        RunId = runId,
        Destination = Location,
        Store = StoreOptions,
        Aws = StoreOptions.Aws,
        Force = force,
        Deadlines = Deadlines,
        AwsEndpoint = Fleet.Endpoint,
    };

    /// <summary>A script that leaves a line in the instance's folder, and then does something.</summary>
    public static PrePostScript Say(string word, string then = "true") => new() { Commands = $"echo {word} >> \"$FLEET_FOLDER/log\"\necho {word} on $INSTANCE_ID\n{then}" };

    public string Log(FleetInstance instance) => string.Join(' ', Fleet.Read(instance, "log").Split('\n', StringSplitOptions.RemoveEmptyEntries));

    public async Task<List<PrePostBackupResult>> RunAsync(PrePostOptions options, CancellationToken? stop = null) =>
        await PrePostBackup.RunAsync(options, null, stop ?? TestContext.Current.CancellationToken).ToListAsync(CancellationToken.None);

    public async Task<PrePostBackupResult> RunOneAsync(PrePostOptions options) => (await RunAsync(options)).ShouldHaveSingleItem();

    public async Task<List<PrePostBackupResult>> ResumeAsync(string runId, bool force = false) =>
        await PrePostBackup.ResumeAsync(ResumeOptions(runId, force), null, TestContext.Current.CancellationToken).ToListAsync(TestContext.Current.CancellationToken);

    public async Task<List<PrePostBackupRun>> ListAsync() => await PrePostBackup.ListAsync(Location, StoreOptions, null, false, TestContext.Current.CancellationToken).ToListAsync(TestContext.Current.CancellationToken);

    public async Task<List<BackupRun>> CatalogAsync() => await RunQueries.RunAsync(Location, new(), StoreOptions, TestContext.Current.CancellationToken).ToListAsync(TestContext.Current.CancellationToken);

    /// <summary>Every file of the store, for proving that none was written.</summary>
    public IReadOnlyList<string> Files() => [.. Directory.EnumerateFiles(_store.Path, "*", SearchOption.AllDirectories)];

    public async ValueTask DisposeAsync()
    {
        await Fleet.DisposeAsync();
        _store.Dispose();
    }
}
