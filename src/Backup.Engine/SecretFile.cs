namespace Backup.Engine;

/// <summary>A file that holds one secret and nothing else.</summary>
public static class SecretFile
{
    private const int MaxBytes = 64 * 1024;

    /// <summary>Reads it, without line ends behind the secret.</summary>
    /// <returns>The secret, and what is wrong with its place, or null.</returns>
    /// <exception cref="BackupException">It cannot be read, or is empty. No message holds the secret.</exception>
    public static (string Secret, string? Warning) Read(string file)
    {
        string text;
        try
        {
            if (new FileInfo(file) is { Exists: true, Length: > MaxBytes })
                throw new BackupException(FailureKind.InvalidInput, $"The secret's file '{file}' is larger than 64 KiB.", "Name the file that holds the secret and nothing else.");
            text = File.ReadAllText(file).TrimEnd('\r', '\n');
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new BackupException(BackupException.From(exception).Kind, $"The secret's file cannot be read: {exception.Message}", "Check the path, and that the account that runs this may read it.", exception);
        }

        if (text.Length == 0)
            throw new BackupException(FailureKind.InvalidInput, $"The secret's file is empty: {file}", "Put the secret into it.");
        var warning = !OperatingSystem.IsWindows() && File.GetUnixFileMode(file).HasFlag(UnixFileMode.OtherRead)
            ? $"Everybody on this machine can read the secret in {file}. Run: chmod 600 '{file}'"
            : null;
        return (text, warning);
    }
}
