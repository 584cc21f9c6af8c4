using Backup.Engine.Stores;

namespace Backup.Engine.Runs;

/// <summary>Finds runs in a destination.</summary>
public static class RunQueries
{
    /// <summary>Lists the runs that <paramref name="query"/> selects, newest first.</summary>
    public static IAsyncEnumerable<BackupRun> RunAsync(StoreLocation destination, RunQuery query, StoreOptions? store = null, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException();
}
