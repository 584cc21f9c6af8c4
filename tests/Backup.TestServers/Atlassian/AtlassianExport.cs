namespace Backup.TestServers.Atlassian;

/// <summary>One export of one product.</summary>
public sealed class AtlassianExport
{
    /// <summary>The file.</summary>
    public Guid Id { get; } = Guid.NewGuid();

    /// <summary>Jira's task.</summary>
    public required int TaskId { get; init; }

    /// <summary>When it was asked for.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>Questions about its progress until it is there.</summary>
    public required int PollsLeft { get; set; }

    /// <summary>How many there were to be.</summary>
    public required int Polls { get; init; }

    /// <summary>When it is there at the earliest.</summary>
    public DateTimeOffset ReadyAt { get; init; }

    /// <summary>Why it failed, or null.</summary>
    public string? Failure { get; set; }

    /// <summary>Stays where it is.</summary>
    public bool IsStuck { get; set; }

    /// <summary>Whether it can be downloaded.</summary>
    public bool IsReady => Failure is null && !IsStuck && PollsLeft <= 0 && DateTimeOffset.UtcNow >= ReadyAt;

    /// <summary>How far it is, below 100 until it is there.</summary>
    public int Percent => IsReady ? 100 : Polls == 0 ? 50 : Math.Clamp(100 * (Polls - PollsLeft) / Polls, 1, 99);
}
