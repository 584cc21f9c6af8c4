namespace Backup.Engine;

/// <summary>How a run, or one item of it, ended.</summary>
public enum Outcome
{
    /// <summary>Done, and what was stored is proven.</summary>
    Completed,

    /// <summary>There was nothing to do.</summary>
    Unchanged,

    /// <summary>What was wanted was there already and was taken over.</summary>
    Adopted,

    /// <summary>Left out on purpose; the reason says why.</summary>
    Skipped,

    /// <summary>Not possible yet; the reason says until when.</summary>
    Deferred,

    /// <summary>Not done, or done in part; the reason says why.</summary>
    Failed,
}
