namespace Backup.Engine;

/// <summary>Why something failed, in words that do not change: scripts match on them, and cmdlets map each to an error id and category.</summary>
public enum FailureKind
{
    /// <summary>None of the others: see the message.</summary>
    Unknown,

    /// <summary>A value that was given cannot be used: a bad bucket name, an unknown storage class, a malformed file.</summary>
    InvalidInput,

    /// <summary>The folder, bucket, object or item does not exist.</summary>
    NotFound,

    /// <summary>Something is there already and was not to be overwritten.</summary>
    AlreadyExists,

    /// <summary>There are no credentials, or they are wrong.</summary>
    AuthenticationFailed,

    /// <summary>The credentials were good once and have expired.</summary>
    CredentialsExpired,

    /// <summary>The credentials are good but may not do this.</summary>
    PermissionDenied,

    /// <summary>The bucket is in another region than the requests were signed for.</summary>
    WrongRegion,

    /// <summary>The bucket belongs to another account.</summary>
    WrongOwner,

    /// <summary>The other side cannot be reached, or answers that it is not able to serve.</summary>
    Unavailable,

    /// <summary>The other side asks for fewer requests, and went on asking.</summary>
    Throttled,

    /// <summary>A deadline passed.</summary>
    TimedOut,

    /// <summary>The bytes that arrived are not the bytes that were sent.</summary>
    ChecksumMismatch,

    /// <summary>A source was shorter or longer than declared.</summary>
    LengthMismatch,

    /// <summary>A file changed while it was read, and again at each retry.</summary>
    ChangedWhileRead,

    /// <summary>The destination is full.</summary>
    NoSpace,

    /// <summary>The object is in an archive class and has to be restored before it can be read.</summary>
    Archived,

    /// <summary>The store has no such ability.</summary>
    NotSupported,

    /// <summary>A deletion was refused because it looked like a lost source.</summary>
    DeletionRefused,

    /// <summary>Another run holds what this one needs.</summary>
    Busy,

    /// <summary>Stored data is damaged or incomplete.</summary>
    Corrupt,

    /// <summary>A guard refused it before anything was touched; the message names what stands in the way.</summary>
    Refused,

    /// <summary>A script did not run, or did not succeed.</summary>
    ScriptFailed,

    /// <summary>A backup job did not complete.</summary>
    BackupFailed,

    /// <summary>It was stopped on request.</summary>
    Cancelled,

    /// <summary>A source has no good run within the time that it should have one.</summary>
    Stale,
}
