using Backup.Engine.Files;

namespace Backup.Engine.Folders;

/// <summary>How a path differs from what the cache knows of it.</summary>
internal enum Change
{
    /// <summary>Nothing that is compared differs.</summary>
    Unchanged,

    /// <summary>The cache does not know it.</summary>
    New,

    /// <summary>Its kind or its size differs: the content is another.</summary>
    Changed,

    /// <summary>The size is the same; a time or the file id differs: only the content's hash can tell.</summary>
    Touched,

    /// <summary>Only what an inventory records differs: a mode, a link's target, a directory's time.</summary>
    MetadataOnly,

    /// <summary>The cache knows it and the scan did not meet it.</summary>
    Missing,
}

/// <summary>One path of the join.</summary>
/// <param name="Entry">As the file system has it; null where it is <see cref="Change.Missing"/>.</param>
/// <param name="Row">As the cache has it; null where it is <see cref="Change.New"/>.</param>
/// <param name="Change">How they differ.</param>
internal readonly record struct FolderChange(FileEntry? Entry, CacheRow? Row, Change Change);

/// <summary>The difference between a folder and its cache: one pass over both, which are in <see cref="Utf8Order"/>.</summary>
internal static class FolderChanges
{
    /// <summary>The file id, which no file has, of content that has to be hashed before it is believed.</summary>
    public const long Unproven = 0;

    /// <summary>Joins a scan with a cache, in path order.</summary>
    /// <exception cref="InvalidOperationException">The scan is out of order: a deletion could follow from that, so it is never tolerated.</exception>
    public static IEnumerable<FolderChange> Compare(IEnumerable<FileEntry> scan, IEnumerable<CacheRow> cache)
    {
        using var entries = scan.GetEnumerator();
        using var rows = cache.GetEnumerator();
        var entry = entries.MoveNext() ? entries.Current : null;
        var row = rows.MoveNext() ? rows.Current : null;
        while (entry is not null || row is not null)
        {
            var order = entry is null ? 1 : row is null ? -1 : Utf8Order.Compare(entry.Path, row.Path);
            yield return order < 0 ? new(entry, null, Change.New)
                : order > 0 ? new(null, row, Change.Missing)
                : new(entry, row, Of(entry!, row!.Entry));

            if (order <= 0)
                entry = Next(entries, entry!);
            if (order >= 0)
                row = rows.MoveNext() ? rows.Current : null;
        }
    }

    /// <summary>How one path differs. Change times and file ids count only where both sides have them.</summary>
    public static Change Of(FileEntry now, FileEntry then)
    {
        if (now.Kind != then.Kind)
            return Change.Changed;

        if (now.Kind == FileEntryKind.File)
        {
            if (now.Size != then.Size)
                return Change.Changed;
            if (now.ModifiedTicks != then.ModifiedTicks || Differ(now.ChangedTicks, then.ChangedTicks) || Differ(now.FileId, then.FileId) || then.FileId == Unproven)
                return Change.Touched;
        }
        else if (now.ModifiedTicks != then.ModifiedTicks || !string.Equals(now.LinkTarget, then.LinkTarget, StringComparison.Ordinal))
        {
            return Change.MetadataOnly;
        }

        return Differ(now.Mode, then.Mode) ? Change.MetadataOnly : Change.Unchanged;
    }

    private static FileEntry? Next(IEnumerator<FileEntry> entries, FileEntry last)
    {
        if (!entries.MoveNext())
            return null;
        return Utf8Order.Compare(last.Path, entries.Current.Path) < 0
            ? entries.Current
            : throw new InvalidOperationException($"The scan gave '{entries.Current.Path}' after '{last.Path}'.");
    }

    private static bool Differ(long? now, long? then) => now is { } a && then is { } b && a != b;
}
