using System.Management.Automation;
using Backup.Engine;

namespace AtlassianBackup;

/// <summary>Turns the engine's failures into error records: a stable id, the category that fits, the input as target, and advice.</summary>
internal static class ErrorMapping
{
    /// <summary>The error record that an exception amounts to.</summary>
    internal static ErrorRecord ToRecord(Exception exception, object? target)
    {
        if (exception is AggregateException { InnerExceptions.Count: 1 } aggregate)
            exception = aggregate.InnerExceptions[0];
        return exception switch
        {
            // The engine does not have it yet, or this store can not do it: not an unexplained failure.
            NotSupportedException => Record(
                new BackupException(FailureKind.NotSupported, "This is not in this version: " + exception.Message, inner: exception), target),
            OperationCanceledException => Record(
                new BackupException(FailureKind.TimedOut, exception.Message, "Run it again; what is stored already is not sent again.", exception), target),
            _ => Record(BackupException.From(exception), target),
        };
    }

    /// <summary>The error record of one item that failed.</summary>
    internal static ErrorRecord ToRecord(FailureKind kind, string message, string? advice, object? target) =>
        Record(new(kind, message, advice), target);

    /// <summary>The stable id: the failure's own word.</summary>
    internal static string Id(FailureKind kind) => kind is FailureKind.Unknown ? "UnexpectedFailure" : kind.ToString();

    /// <summary>The category that fits.</summary>
    internal static ErrorCategory Category(FailureKind kind) => kind switch
    {
        FailureKind.InvalidInput => ErrorCategory.InvalidArgument,
        FailureKind.NotFound => ErrorCategory.ObjectNotFound,
        FailureKind.AlreadyExists => ErrorCategory.ResourceExists,
        FailureKind.AuthenticationFailed or FailureKind.CredentialsExpired => ErrorCategory.AuthenticationError,
        FailureKind.PermissionDenied or FailureKind.WrongOwner => ErrorCategory.PermissionDenied,
        FailureKind.WrongRegion => ErrorCategory.InvalidArgument,
        FailureKind.Unavailable => ErrorCategory.ConnectionError,
        FailureKind.Throttled => ErrorCategory.LimitsExceeded,
        FailureKind.TimedOut => ErrorCategory.OperationTimeout,
        FailureKind.ChecksumMismatch or FailureKind.LengthMismatch or FailureKind.Corrupt => ErrorCategory.InvalidData,
        FailureKind.ChangedWhileRead => ErrorCategory.ReadError,
        FailureKind.NoSpace or FailureKind.Archived => ErrorCategory.ResourceUnavailable,
        FailureKind.NotSupported => ErrorCategory.NotImplemented,
        FailureKind.DeletionRefused => ErrorCategory.SecurityError,
        FailureKind.Busy => ErrorCategory.ResourceBusy,
        FailureKind.ScriptFailed or FailureKind.BackupFailed => ErrorCategory.InvalidResult,
        FailureKind.Cancelled => ErrorCategory.OperationStopped,
        FailureKind.Stale => ErrorCategory.ResourceUnavailable,
        _ => ErrorCategory.InvalidOperation,
    };

    // Every failure comes with something to do, also where the engine had nothing particular to say.
    private static string Advice(BackupException exception) => exception.Advice ?? exception.Kind switch
    {
        FailureKind.NotFound => "Check the name, and that the drive or share is there.",
        FailureKind.AuthenticationFailed => "Give -ProfileName or -Credential, or set up credentials as for the AWS CLI.",
        FailureKind.CredentialsExpired => "Sign in again (for SSO: aws sso login), then run it again.",
        FailureKind.PermissionDenied => "Ask for the permission that the message names, or use another account.",
        FailureKind.Unavailable or FailureKind.Throttled or FailureKind.TimedOut => "Run it again; what is stored already is not sent again.",
        FailureKind.Busy => "Wait until the other run has ended.",
        FailureKind.NotSupported => "Use a newer version of the module, or another store.",
        _ => "Run it again with -Verbose to see what led to it.",
    };

    private static ErrorRecord Record(BackupException exception, object? target) =>
        new(exception, Id(exception.Kind), Category(exception.Kind), target)
        {
            ErrorDetails = new(exception.Message) { RecommendedAction = Advice(exception) },
        };
}
