namespace Backup.Engine.Documents;

/// <summary>What became of one SSM document.</summary>
public sealed record PublishedDocument
{
    /// <summary>The document's name.</summary>
    public required string Name { get; init; }

    /// <summary>The file that it was made of.</summary>
    public required string Path { get; init; }

    /// <summary>Completed, Unchanged, Adopted (a version with this content was there already and is the default now) or Failed.</summary>
    public required Outcome Outcome { get; init; }

    /// <summary>Command or Automation.</summary>
    public string? DocumentType { get; init; }

    /// <summary>The version that runs where none is named; null where it would only be known afterwards.</summary>
    public string? Version { get; init; }

    /// <summary>The version's name: it is made of the content's SHA-256.</summary>
    public string? VersionName { get; init; }

    /// <summary>What was done, or what went wrong.</summary>
    public string? Reason { get; init; }

    /// <summary>Why it failed; null where it did not.</summary>
    public FailureKind? Kind { get; init; }

    /// <summary>What to do about a failure.</summary>
    public string? Advice { get; init; }

    /// <summary>Nothing was written: this is what would be done.</summary>
    public bool WhatIf { get; init; }
}
