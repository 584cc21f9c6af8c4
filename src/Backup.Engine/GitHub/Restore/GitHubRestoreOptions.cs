using Backup.Engine.Stores;
using Microsoft.Extensions.Logging;

namespace Backup.Engine.GitHub;

/// <summary>What <see cref="GitHubRestore"/> does. Exactly one of <see cref="Path"/>, <see cref="Owner"/> and <see cref="Remote"/> says where to.</summary>
public sealed record GitHubRestoreOptions
{
    /// <summary>The store that holds the backup.</summary>
    public required StoreLocation From { get; init; }

    /// <summary>How the store is opened.</summary>
    public StoreOptions Store { get; init; } = new();

    /// <summary>The repositories as <c>owner/name</c>, wildcards allowed; names they had before count too.</summary>
    public required IReadOnlyList<string> Names { get; init; }

    /// <summary>As they were at this time, or null for now.</summary>
    public DateTimeOffset? At { get; init; }

    /// <summary>A directory: each repository becomes <c>owner/name.git</c> below it.</summary>
    public string? Path { get; init; }

    /// <summary>With <see cref="Path"/>: with the files of the default branch, and not bare.</summary>
    public bool Checkout { get; init; }

    /// <summary>An account on GitHub: each repository is made there, or completed.</summary>
    public string? Owner { get; init; }

    /// <summary>The address of another git server, with <c>{owner}</c> and <c>{name}</c> where those belong.</summary>
    public string? Remote { get; init; }

    /// <summary>Which GitHub, and as whom; for <see cref="Remote"/> the token that it wants.</summary>
    public GitHubConnection Connection { get; init; } = new();

    /// <summary>What is restored of what was backed up.</summary>
    public GitHubContent Content { get; init; } = GitHubContent.Default;

    /// <summary>Overwrite refs that differ there.</summary>
    public bool Force { get; init; }

    /// <summary>A folder for what is needed for a moment, or null for a temporary one.</summary>
    public string? WorkPath { get; init; }

    /// <summary>Say what would be restored, and write nothing anywhere.</summary>
    public bool WhatIf { get; init; }

    /// <summary>Receives decisions, or null.</summary>
    public ILogger? Logger { get; init; }
}
