using Backup.Engine.GitHub.Git.Lfs;
using Backup.Engine.Http;
using Backup.Engine.Runs;
using Backup.Engine.Stores;

namespace Backup.Engine.GitHub.Git;

/// <summary>Gives a generation back: as a repository in a folder, or to a server. Either may be repeated, and goes on where it was stopped.</summary>
internal static class GitRestore
{
    /// <summary>Restores to a folder: a bare repository, or a working tree with its repository in <c>.git</c>.</summary>
    /// <exception cref="BackupException">
    /// <see cref="FailureKind.NotFound"/> where there is no such generation; <see cref="FailureKind.AlreadyExists"/> where the folder holds something else;
    /// <see cref="FailureKind.Corrupt"/>, <see cref="FailureKind.Archived"/> where a bundle cannot be had.
    /// </exception>
    public static async Task<GitRestoreResult> ToFolderAsync(IObjectStore store, string target, GitRestoreOptions options, CancellationToken cancellationToken)
    {
        var generation = await FindAsync(store, options, cancellationToken);
        var git = await GitProgram.FindAsync(options.GitPath);
        var isNew = !Directory.Exists(target) || !Directory.EnumerateFileSystemEntries(target).Any();
        var repository = Path.GetFullPath(options.Checkout ? Path.Combine(target, ".git") : target);
        if (options.Checkout && !isNew && !Directory.Exists(repository))
            throw new BackupException(FailureKind.AlreadyExists, $"'{target}' is not empty.", "Give an empty or a new directory.");
        await using var pool = await OpenAsync(store, git, repository, generation, isTemporary: false, options, cancellationToken);
        if (Directory.EnumerateFiles(Path.Combine(repository, "refs"), "*", SearchOption.AllDirectories).Any())
            throw new BackupException(FailureKind.AlreadyExists, $"'{target}' has been committed or pushed to since it was restored.", "Restore to another directory, and fetch from that.");
        if (options.Checkout && !options.Force && await IsEditedAsync(pool, target, cancellationToken))
            throw new BackupException(FailureKind.AlreadyExists, $"Files in '{target}' have been changed since they were restored.", "Restore to another directory; or give -Force, which overwrites them.");
        pool.WriteRefs(generation.ReadRefs(), generation.Head);
        await CheckConnectionsAsync(pool, generation, cancellationToken);

        var problems = new List<RunFailure>();
        var objects = options.Lfs ? await LfsRestore.ToFolderAsync(store, generation, Path.Combine(repository, "lfs", "objects"), problems, options.Progress, cancellationToken) : 0;
        if (options.Checkout && generation.Head is not null)
            await CheckOutAsync(pool, target, cancellationToken);
        return new() { Outcome = problems.Count == 0 ? Outcome.Completed : Outcome.Failed, Generation = generation, Refs = generation.Refs.Count, LfsObjects = objects, Problems = problems };
    }

    /// <summary>Restores branches, tags and LFS objects to a server by HTTP.</summary>
    /// <exception cref="BackupException">As for <see cref="RefAdvertisement"/> and <see cref="ToFolderAsync"/>.</exception>
    public static async Task<GitRestoreResult> ToRemoteAsync(IObjectStore store, HttpSender http, GitRemote remote, GitRestoreOptions options, CancellationToken cancellationToken)
    {
        var generation = await FindAsync(store, options, cancellationToken);
        var git = await GitProgram.FindAsync(options.GitPath);
        var there = await RefAdvertisement.ReadAsync(http, remote, cancellationToken, PullRefs.All);
        var path = Path.Combine(options.WorkPath, $"restore-{Guid.NewGuid().ToString("N")[..8]}.git");
        await using var pool = await OpenAsync(store, git, path, generation, isTemporary: true, options, cancellationToken);

        var problems = new List<RunFailure>();
        // Objects before the commits that point to them: GitHub refuses these otherwise.
        var objects = options.Lfs ? await LfsRestore.ToRemoteAsync(store, generation, new(http, there.Remote, options.Stall), problems, cancellationToken) : 0;
        var push = new GitPush(pool, there, generation, options);
        var pushed = await push.RunAsync(cancellationToken);
        problems.AddRange(pushed.Refused);
        if (pushed.Written > 0)
            problems.AddRange(push.Compare(await RefAdvertisement.ReadAsync(http, there.Remote, cancellationToken, PullRefs.All)));
        return new()
        {
            Outcome = problems.Count > 0 ? Outcome.Failed : pushed.Written + objects > 0 ? Outcome.Completed : Outcome.Unchanged,
            Generation = generation,
            Refs = pushed.Written,
            RefsUnchanged = pushed.Unchanged,
            RefsLeftOut = pushed.LeftOut,
            LfsObjects = objects,
            Problems = problems,
        };
    }

    private static async Task<GitGeneration> FindAsync(IObjectStore store, GitRestoreOptions options, CancellationToken cancellationToken)
    {
        if (options.ManifestKey is { } key)
            return await GitGenerations.ReadAsync(store, key, cancellationToken);
        var found = await GitGenerations.FindAsync(store, options.Folders, options.Part, options.At, cancellationToken)
            ?? throw new BackupException(
                FailureKind.NotFound,
                options.At is { } at ? $"'{options.Folders[0]}' has no generation of {at.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC or before." : $"'{options.Folders[0]}' has no generation.",
                "Check the name, the destination, and the time.");
        return await GitGenerations.ReadAsync(store, found.Key, cancellationToken);
    }

    private static async Task<PackPool> OpenAsync(IObjectStore store, GitProgram git, string path, GitGeneration generation, bool isTemporary, GitRestoreOptions options, CancellationToken cancellationToken)
    {
        var format = ObjectFormat.Find(generation.ObjectFormat) ?? throw new BackupException(FailureKind.NotSupported, $"'{generation.Name}' names its objects by '{generation.ObjectFormat}'.", "Update the module.");
        // What the description says becomes a file of git's: it is held against the rules again.
        if (generation.ReadRefs().FirstOrDefault(item => !RefName.IsValid(item.Name) || !format.IsId(item.ObjectId)) is { } bad)
            throw new BackupException(FailureKind.Corrupt, $"The generation '{generation.Generation}' of '{generation.Name}' has the ref '{RefAdvertisement.Printable(bad.Name)}', which git refuses.", "Use another generation.");
        if (generation.Head is { } head && !RefName.IsValid(head))
            throw new BackupException(FailureKind.Corrupt, $"The generation '{generation.Generation}' of '{generation.Name}' has a HEAD that git refuses.", "Use another generation.");
        var pool = PackPool.Open(git, path, format, isTemporary, options.Logger);
        try
        {
            await pool.EnsureAsync(store, generation.Bundles, options.Progress, cancellationToken);
            using var lookup = pool.Lookup();
            return lookup.Missing(generation.ReadRefs()).FirstOrDefault() is not { } missing
                ? pool
                : throw new BackupException(FailureKind.Corrupt, $"The bundles of '{generation.Name}' lack '{missing.ObjectId}', which '{missing.Name}' names.", "Use another generation.");
        }
        catch
        {
            await pool.DisposeAsync();
            throw;
        }
    }

    /// <summary>Follows all refs to all their objects.</summary>
    private static async Task CheckConnectionsAsync(PackPool pool, GitGeneration generation, CancellationToken cancellationToken)
    {
        if (generation.Refs.Count == 0)
            return;
        var exit = await GitProcess.RunAsync(pool.Command("rev-list", "--objects", "--all", "--quiet"), cancellationToken);
        if (exit.Code != 0)
            throw new BackupException(FailureKind.Corrupt, $"What was restored of '{generation.Name}' is not complete: {exit.Reason}.", "Use another generation.");
    }

    /// <summary>Whether a file that was checked out before is another one now. Without an index none was.</summary>
    private static async Task<bool> IsEditedAsync(PackPool pool, string target, CancellationToken cancellationToken)
    {
        if (!File.Exists(Path.Combine(pool.Path, "index")))
            return false;
        var exit = await GitProcess.RunAsync(pool.Command("update-index", "--ignore-missing", "--refresh") with { WorkTree = Path.GetFullPath(target), Directory = Path.GetFullPath(target) }, cancellationToken);
        return exit.Code != 0;
    }

    private static async Task CheckOutAsync(PackPool pool, string target, CancellationToken cancellationToken)
    {
        pool.SetBare(false);
        // LFS pointers stay pointers: "git lfs checkout" finds the objects beside them.
        var exit = await GitProcess.RunAsync(pool.Command("reset", "--hard", "--quiet", "HEAD") with { WorkTree = Path.GetFullPath(target), Directory = Path.GetFullPath(target) }, cancellationToken);
        if (exit.Code != 0)
            throw new BackupException(FailureKind.Unknown, $"The files of '{target}' cannot be checked out: {exit.Reason}.", "The repository itself is restored: look at it with git.");
    }
}
