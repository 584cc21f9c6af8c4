using Backup.Engine.Runs;
using Microsoft.Extensions.Logging;

namespace Backup.Engine.GitHub.Git;

/// <summary>What is restored of a repository, and how.</summary>
internal sealed record GitRestoreOptions
{
    /// <summary>The folders that the repository ever had in the store: more than one where it was renamed.</summary>
    public required IReadOnlyList<string> Folders { get; init; }

    /// <summary>The repository, or its wiki.</summary>
    public GitPart Part { get; init; }

    /// <summary>The newest generation that is not younger than this; null: the newest of all.</summary>
    public DateTimeOffset? At { get; init; }

    /// <summary>The description of the very generation that is wanted (<see cref="GitState.ManifestKey"/>), or null: then it is looked for by <see cref="At"/>.</summary>
    public string? ManifestKey { get; init; }

    /// <summary>A folder for what is needed for a moment.</summary>
    public required string WorkPath { get; init; }

    /// <summary>git's path, or null to look for it in PATH.</summary>
    public string? GitPath { get; init; }

    /// <summary>Whether LFS objects are restored too.</summary>
    public bool Lfs { get; init; } = true;

    /// <summary>To a folder: whether the files of HEAD are checked out there, and the repository is in <c>.git</c>.</summary>
    public bool Checkout { get; init; }

    /// <summary>Whether what differs at the remote is overwritten, or files that were changed since they were checked out.</summary>
    public bool Force { get; init; }

    /// <summary>To a remote: whether heads of pull requests, which no server takes as such, are pushed as <c>refs/heads/restored/pr/N</c>.</summary>
    public bool PullRequestBranches { get; init; }

    /// <summary>To a remote: the most bytes of one push. GitHub takes 2 GB.</summary>
    public long MaxPush { get; init; } = 1_900L << 20;

    /// <summary>How long a server may be silent.</summary>
    public TimeSpan Stall { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Receives bytes as they are read.</summary>
    public IProgress<long>? Progress { get; init; }

    /// <summary>Receives decisions, or null.</summary>
    public ILogger? Logger { get; init; }
}

/// <summary>What became of a restore.</summary>
internal sealed record GitRestoreResult
{
    /// <summary><see cref="Outcome.Completed"/>; <see cref="Outcome.Unchanged"/> where all was there already; <see cref="Outcome.Failed"/> where some of it was refused or is missing.</summary>
    public required Outcome Outcome { get; init; }

    /// <summary>The generation that was restored.</summary>
    public required GitGeneration Generation { get; init; }

    /// <summary>Refs that were written.</summary>
    public long Refs { get; init; }

    /// <summary>Refs that were there already.</summary>
    public long RefsUnchanged { get; init; }

    /// <summary>Refs that no server takes (pull requests), and that were left out.</summary>
    public long RefsLeftOut { get; init; }

    /// <summary>LFS objects that were written.</summary>
    public long LfsObjects { get; init; }

    /// <summary>What was refused, or is missing.</summary>
    public IReadOnlyList<RunFailure> Problems { get; init; } = [];
}
