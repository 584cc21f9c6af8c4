namespace Backup.Engine.Atlassian;

/// <summary>How the backup of a site ended, in words that do not change.</summary>
public enum SiteStatus
{
    /// <summary>A new export was made, stored and verified.</summary>
    Completed,

    /// <summary>An export that was there already was stored and verified.</summary>
    Adopted,

    /// <summary>The newest export is young enough, and is stored and verified already.</summary>
    Unchanged,

    /// <summary>Atlassian allows no new export yet, and there is none that is young enough.</summary>
    Deferred,

    /// <summary>Atlassian lets only people at a browser export this product.</summary>
    UiOnly,

    /// <summary>The user or the token is wrong, or the token has expired.</summary>
    AuthenticationFailed,

    /// <summary>The user may not export.</summary>
    PermissionDenied,

    /// <summary>The site does not have the product.</summary>
    NotLicensed,

    /// <summary>The export was not ready in time; the next run goes on waiting for it.</summary>
    TimedOut,

    /// <summary>Anything else; the reason says what.</summary>
    Failed,

    /// <summary>WhatIf: this is what a run would do.</summary>
    Planned,
}
