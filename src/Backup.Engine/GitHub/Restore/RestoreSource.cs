using Backup.Engine.Runs;
using Backup.Engine.Stores;

namespace Backup.Engine.GitHub;

/// <summary>Finds in a store what is to be restored.</summary>
internal static class RestoreSource
{
    /// <summary>What the newest runs, at a time where one is given, know of the repositories whose names fit.</summary>
    /// <exception cref="BackupException"><see cref="FailureKind.NotFound"/> where nothing fits a name.</exception>
    public static async Task<IReadOnlyList<KnownRepository>> FindAsync(IObjectStore store, IReadOnlyList<string> names, DateTimeOffset? at, CancellationToken cancellationToken)
    {
        var found = new Dictionary<long, KnownRepository>();
        var all = new List<string>();
        var query = new RunQuery { System = AccountRun.System, Until = at, LatestOnly = true };
        await foreach (var run in new RunCatalog(store).ListAsync(query, cancellationToken))
        {
            var memory = await AccountMemory.ReadAsync(store, run, cancellationToken);
            foreach (var known in memory.Repositories.Values.Where(known => known.Id != 0))
            {
                all.Add(known.FullName);
                // Newest first: another source of the same repository is older.
                if (names.Any(name => Fits(name, known)))
                    found.TryAdd(known.Id, known);
            }
        }

        foreach (var name in names)
        {
            if (!found.Values.Any(known => Fits(name, known)))
            {
                throw new BackupException(
                    FailureKind.NotFound,
                    all.Count == 0
                        ? $"'{store.Location}' holds no backup of GitHub{(at is null ? "" : " from that time or before")}."
                        : $"'{store.Location}' holds no repository '{name}'{(at is null ? "" : " from that time or before")}; there are {all.Count} others, such as '{all[0]}'.",
                    "Give owner/name, wildcards allowed, and the destination of the backup as -From.");
            }
        }

        return [.. found.Values.OrderBy(known => known.FullName, StringComparer.OrdinalIgnoreCase).ThenBy(known => known.Id)];
    }

    private static bool Fits(string name, KnownRepository known) => known.FormerNames.Prepend(known.FullName).Any(one => RunCatalog.NameMatches(name, one));
}
