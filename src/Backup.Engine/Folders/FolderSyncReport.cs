using Backup.Engine.Notifications;

namespace Backup.Engine.Folders;

/// <summary>What went wrong in a run of several folders, for one notice at its end.</summary>
internal sealed class FolderSyncReport
{
    private const int MaxLines = 50;

    private readonly List<string> _lines = [];
    private int _folders;
    private int _failedFolders;
    private long _failures;
    private long _bytes;

    /// <summary>Whether there is anything to tell.</summary>
    public bool HasFailures => _failures > 0 || _failedFolders > 0;

    /// <summary>Takes note of a result.</summary>
    public void Add(FolderSyncOutput output)
    {
        switch (output)
        {
            case FileFailure failure:
                Add($"{failure.Path}: {failure.Message}");
                break;
            case FolderSyncResult result:
                _folders++;
                _bytes += result.Bytes;
                if (result.Outcome == Outcome.Failed)
                    _failedFolders++;
                break;
            default:
                break;
        }
    }

    /// <summary>Takes note of what ended the run.</summary>
    public void Add(BackupException exception) => Add(exception.Message);

    /// <summary>The notice: counts first, then the first errors.</summary>
    public Notice ToNotice() => new(
        $"Backup on {Environment.MachineName}: {_failures} errors",
        [
            new("Folders", $"{_folders}, {_failedFolders} of them failed"),
            new("Errors", $"{_failures}"),
            new("Sent", $"{_bytes / (1024.0 * 1024):0.#} MiB"),
        ],
        _failures > _lines.Count ? [.. _lines, $"… {_failures - _lines.Count} more errors are in the run's own output."] : _lines);

    private void Add(string line)
    {
        _failures++;
        if (_lines.Count < MaxLines)
            _lines.Add(line);
    }
}
