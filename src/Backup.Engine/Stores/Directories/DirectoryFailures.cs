namespace Backup.Engine.Stores.Directories;

/// <summary>What a file system's exceptions mean for a store.</summary>
internal static class DirectoryFailures
{
    private const int ReadOnlyFileSystem = 30;

    /// <summary>Whether this is the file system speaking, and not a mistake in the code or a cancellation.</summary>
    public static bool IsFileSystem(Exception exception) => exception is IOException or UnauthorizedAccessException;

    /// <summary>The failure, naming the path.</summary>
    public static BackupException Translate(Exception exception, string path) => exception switch
    {
        UnauthorizedAccessException => Denied(exception, path),
        IOException when !OperatingSystem.IsWindows() && (exception.HResult & 0xFFFF) == ReadOnlyFileSystem => Denied(exception, path),
        IOException when BackupException.From(exception) is { Kind: not FailureKind.Unknown } known => known,
        _ => new(FailureKind.Unavailable, $"'{path}' cannot be used: {exception.Message}", "Check the drive or share and its mount.", exception),
    };

    private static BackupException Denied(Exception exception, string path) =>
        new(FailureKind.PermissionDenied, $"'{path}' may not be used: {exception.Message}", "Give the account that runs this read and write permission on the directory.", exception);
}
