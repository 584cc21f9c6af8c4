namespace Backup.Engine.GitHub.Git;

/// <summary>One run of git.</summary>
internal sealed record GitCommand
{
    /// <summary>The program.</summary>
    public required string Git { get; init; }

    /// <summary>Its arguments, none of which is a secret.</summary>
    public required IReadOnlyList<string> Arguments { get; init; }

    /// <summary>Where it runs.</summary>
    public required string Directory { get; init; }

    /// <summary>The repository (GIT_DIR), or null.</summary>
    public string? Repository { get; init; }

    /// <summary>Where objects are written and looked for first, or null for the repository's own place.</summary>
    public string? ObjectDirectory { get; init; }

    /// <summary>Where files are checked out to, or null.</summary>
    public string? WorkTree { get; init; }

    /// <summary>Whether what it writes has to outlive a power cut. What is removed after its use does not, and waits for no disk.</summary>
    public bool Durable { get; init; } = true;

    /// <summary>The remote that it may talk to, or null: then it may talk to nobody.</summary>
    public GitRemote? Remote { get; init; }

    /// <summary>The token for the remote. It reaches git in its environment alone.</summary>
    public string? Token { get; init; }

    /// <summary>How long it may neither read nor write a byte before it is ended.</summary>
    public TimeSpan Stall { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How long it may take in all.</summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromHours(12);

    /// <summary>What it does, for messages: <c>git index-pack</c>.</summary>
    public string Title => $"git {Arguments.FirstOrDefault(argument => argument[0] != '-')}";
}
