namespace Backup.Engine;

/// <summary>An expected failure: it names the thing, says what is wrong with it, and what to do.</summary>
public class BackupException : Exception
{
    /// <summary>Creates the failure.</summary>
    /// <param name="kind">The stable word for it.</param>
    /// <param name="message">One sentence that names the thing. Never holds a secret.</param>
    /// <param name="advice">What the reader can do about it.</param>
    /// <param name="inner">The cause.</param>
    public BackupException(FailureKind kind, string message, string? advice = null, Exception? inner = null)
        : base(message, inner)
    {
        Kind = kind;
        Advice = advice;
    }

    /// <summary>The stable word for this failure.</summary>
    public FailureKind Kind { get; }

    /// <summary>What the reader can do about it, or null where the message already says it.</summary>
    public string? Advice { get; }

    /// <summary>The failure that any exception amounts to.</summary>
    public static BackupException From(Exception exception) => exception switch
    {
        BackupException known => known,
        UnauthorizedAccessException => new(FailureKind.PermissionDenied, exception.Message, "Run with an account that may read it, or exclude it.", exception),
        FileNotFoundException or DirectoryNotFoundException => new(FailureKind.NotFound, exception.Message, null, exception),
        IOException io when IsDiskFull(io) => new(FailureKind.NoSpace, exception.Message, "Free space on that volume, then run again.", exception),
        TimeoutException => new(FailureKind.TimedOut, exception.Message, null, exception),
        _ => new(FailureKind.Unknown, exception.Message, null, exception),
    };

    // ENOSPC and EDQUOT on Unix (errno is in the low word), ERROR_HANDLE_DISK_FULL and ERROR_DISK_FULL on Windows.
    private static bool IsDiskFull(IOException exception) => OperatingSystem.IsWindows()
        ? (exception.HResult & 0xFFFF) is 39 or 112
        : exception.HResult is 28 or 122 || (exception.HResult & 0xFFFF) is 28 or 122;
}
