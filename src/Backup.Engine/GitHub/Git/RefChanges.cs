namespace Backup.Engine.GitHub.Git;

/// <summary>Tells what happened to refs between two generations.</summary>
internal static class RefChanges
{
    // A process for each: beyond that a moved branch is just called moved.
    private const int MaxAsked = 100;

    /// <summary>Compares two lists of refs. Branches that moved are called so; see <see cref="FindForcedAsync"/>.</summary>
    public static IReadOnlyList<RefChange> Between(IEnumerable<GitRef> before, IEnumerable<GitRef> now)
    {
        var old = before.ToDictionary(item => item.Name, item => item.ObjectId, StringComparer.Ordinal);
        var changes = new List<RefChange>();
        foreach (var item in now)
        {
            if (!old.Remove(item.Name, out var was))
                changes.Add(new(item.Name, RefChangeKind.Created, null, item.ObjectId));
            else if (was != item.ObjectId)
                changes.Add(new(item.Name, RefChangeKind.Moved, was, item.ObjectId));
        }

        changes.AddRange(old.Select(item => new RefChange(item.Key, RefChangeKind.Deleted, item.Value, null)));
        return [.. changes.OrderBy(change => change.Name, Utf8Order.Instance)];
    }

    /// <summary>Asks git which of the moved branches went forward, and which were pushed by force.</summary>
    /// <param name="changes">The changes.</param>
    /// <param name="command">A run of git that sees the new objects; its arguments are replaced.</param>
    /// <param name="has">Whether an object is there to ask about. One that is not cannot be in the new history: all of that is there.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    public static async Task<IReadOnlyList<RefChange>> FindForcedAsync(IReadOnlyList<RefChange> changes, GitCommand command, Func<string, bool> has, CancellationToken cancellationToken)
    {
        var asked = 0;
        var told = new List<RefChange>(changes.Count);
        foreach (var change in changes)
        {
            var isForced = false;
            if (change is { Kind: RefChangeKind.Moved, Old: { } old, New: { } now } && change.Name.StartsWith(RefName.Heads, StringComparison.Ordinal))
                isForced = !has(old) || (asked++ < MaxAsked && !await IsAncestorAsync(command, old, now, cancellationToken));
            told.Add(isForced ? change with { Kind = RefChangeKind.Forced } : change);
        }

        return told;
    }

    private static async Task<bool> IsAncestorAsync(GitCommand command, string old, string now, CancellationToken cancellationToken)
    {
        var exit = await GitProcess.RunAsync(command with { Arguments = ["merge-base", "--is-ancestor", old, now] }, cancellationToken);
        return exit.Code switch
        {
            0 => true,
            1 => false,
            _ => throw new BackupException(FailureKind.Corrupt, $"git merge-base failed: {exit.Reason}."),
        };
    }
}
