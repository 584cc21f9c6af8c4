namespace Backup.TestServers.GitHub;

/// <summary>One request as it arrived, and what became of it.</summary>
public sealed class RequestRecord
{
    public required string Method { get; init; }

    /// <summary>Decoded.</summary>
    public required string Path { get; init; }

    public required string Query { get; init; }

    /// <summary>Names are compared without case.</summary>
    public required IReadOnlyDictionary<string, string> Headers { get; init; }

    /// <summary>The body where it is JSON, else null.</summary>
    public string? Body { get; init; }

    public DateTimeOffset Arrived { get; init; } = DateTimeOffset.UtcNow;

    /// <summary>0 while it is being answered.</summary>
    public int Status { get; internal set; }

    public override string ToString() => $"{Status} {Method} {Path}{Query}";
}
