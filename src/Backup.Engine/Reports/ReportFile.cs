namespace Backup.Engine.Reports;

/// <summary>Writes a file whole or not at all: readers see the one before until the new one is complete.</summary>
public static class ReportFile
{
    /// <summary>Writes <paramref name="path"/> beside itself and renames it into place. The directory has to be there.</summary>
    /// <exception cref="BackupException">It cannot be written.</exception>
    public static async Task WriteAsync(string path, Func<Stream, CancellationToken, Task> write, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(write);
        if (Directory.Exists(path))
            throw new BackupException(FailureKind.InvalidInput, $"'{path}' is a directory.", "Name a file in it.");
        if (!Directory.Exists(Path.GetDirectoryName(Path.GetFullPath(path))))
            throw new BackupException(FailureKind.NotFound, $"The directory of '{path}' does not exist.", "Make it first, or name another one.");
        // Not *.prom: a collector must not read it before it is complete.
        var temporary = $"{path}.{Guid.NewGuid():n}.tmp";
        try
        {
            await using (var file = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, 64 << 10, FileOptions.Asynchronous))
            {
                await write(file, cancellationToken);
                await file.FlushAsync(cancellationToken);
                file.Flush(flushToDisk: true);
            }

            File.Move(temporary, path, overwrite: true);
        }
        catch (Exception exception) when (exception is UnauthorizedAccessException or IOException)
        {
            var failure = BackupException.From(exception);
            throw new BackupException(failure.Kind, $"'{path}' cannot be written: {failure.Message}", failure.Advice ?? "Is it open in another program? Name another file.", exception);
        }
        finally
        {
            File.Delete(temporary);
        }
    }
}
