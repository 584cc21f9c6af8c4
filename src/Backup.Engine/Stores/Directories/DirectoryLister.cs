using System.Runtime.CompilerServices;
using static System.StringComparison;

namespace Backup.Engine.Stores.Directories;

/// <summary>
/// Lists keys in the order of their UTF-8 bytes, one directory at a time: what is held is the names of the directories on the way down.
/// </summary>
/// <remarks>
/// A directory sorts as its segment with a slash: all keys below it begin so, and no key outside of it does.
/// </remarks>
internal sealed class DirectoryLister(DirectoryLayout layout)
{
    // What sorts is the segment, with a slash for a directory; the path is relative to the level's directory.
    private readonly record struct Entry(string Sort, string Path);

    private sealed record Level(string Directory, string KeyPrefix, IReadOnlyList<Entry> Entries)
    {
        public int Next { get; set; }
    }

    /// <summary>The objects whose keys begin with <paramref name="prefix"/>, with what one look at a file tells.</summary>
    public async IAsyncEnumerable<StoredObject> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var slash = prefix.LastIndexOf('/');
        var parents = slash < 0 ? "" : prefix[..(slash + 1)];
        var start = slash < 0 ? layout.Root : Path.Combine(layout.Root, layout.Names.Path(prefix[..slash]));

        var open = new Stack<Level>();
        open.Push(await Task.Run(() => Read(start, parents, prefix[parents.Length..], cancellationToken), cancellationToken));
        while (open.TryPeek(out var level))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (level.Next == level.Entries.Count)
            {
                open.Pop();
                continue;
            }

            var entry = level.Entries[level.Next++];
            var key = level.KeyPrefix + entry.Sort;
            if (entry.Sort.EndsWith('/'))
                open.Push(await Task.Run(() => Read(Path.Combine(level.Directory, entry.Path), key, "", cancellationToken), cancellationToken));
            else if (Look(key, Path.Combine(level.Directory, entry.Path)) is { } found)
                yield return found;
        }
    }

    private Level Read(string directory, string keyPrefix, string begin, CancellationToken cancellationToken)
    {
        var entries = new List<Entry>();
        Collect(directory, "", "", keyPrefix.Length == 0, begin, entries, cancellationToken);
        entries.Sort((x, y) => Utf8Order.Instance.Compare(x.Sort, y.Sort) is var order and not 0 ? order : string.CompareOrdinal(x.Path, y.Path));

        // "a" and "a%f" can both be there for a moment: the plain one counts, as when it is looked up, and sorts first.
        var count = 0;
        for (var index = 0; index < entries.Count; index++)
        {
            if (count == 0 || entries[index].Sort != entries[count - 1].Sort)
                entries[count++] = entries[index];
        }
        entries.RemoveRange(count, entries.Count - count);
        return new(directory, keyPrefix, entries);
    }

    // Pieces of a segment that is too long for one name are nested directories, but belong to the level of their first piece.
    private void Collect(string directory, string relative, string text, bool first, string begin, List<Entry> entries, CancellationToken cancellationToken)
    {
        IEnumerable<FileSystemInfo> found;
        try
        {
            found = new DirectoryInfo(directory).EnumerateFileSystemInfos("*", new EnumerationOptions
            {
                AttributesToSkip = FileAttributes.None,
                IgnoreInaccessible = false,
                ReturnSpecialDirectories = false,
                RecurseSubdirectories = false,
            });
            found.GetEnumerator().Dispose();
        }
        catch (DirectoryNotFoundException)
        {
            return;
        }
        catch (IOException) when (File.Exists(directory))
        {
            return;
        }

        foreach (var item in found)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var isDirectory = item is DirectoryInfo;
            var name = item.Name;
            if (first && relative.Length == 0 && name.Equals(KeyNames.Private, Ordinal))
                continue;
            if (isDirectory && name.EndsWith(KeyNames.SplitMarker, Ordinal))
            {
                if (KeyNames.Decode(name[..^KeyNames.SplitMarker.Length]) is { } piece && Meets(text + piece, begin))
                    Collect(Path.Combine(directory, name), Path.Combine(relative, name), text + piece, first, begin, entries, cancellationToken);
                continue;
            }

            var plain = !isDirectory && name.EndsWith(KeyNames.FileMarker, Ordinal) ? name[..^KeyNames.FileMarker.Length] : name;
            if (KeyNames.Decode(plain) is not { } rest)
                continue;
            var segment = text + rest;
            // Only what Head would find is an object: names that somebody else made and that we would write otherwise are not ours.
            if (segment.StartsWith(begin, Ordinal) && KeyNames.IsWellFormed(segment)
                && layout.Names.SegmentPath(segment, first).Equals(Path.Combine(relative, plain), Ordinal))
            {
                entries.Add(new(isDirectory ? segment + "/" : segment, Path.Combine(relative, name)));
            }
        }
    }

    private static bool Meets(string text, string begin) => text.StartsWith(begin, Ordinal) || begin.StartsWith(text, Ordinal);

    private StoredObject? Look(string key, string path)
    {
        if (key.Length == 0 || System.Text.Encoding.UTF8.GetByteCount(key) > KeyNames.MaxKeyBytes)
            return null;
        var file = new FileInfo(path);
        if (!file.Exists && layout.Locate(key) is { } moved)
            file = new FileInfo(moved);
        return file.Exists ? new() { Key = key, Size = file.Length, LastModified = new DateTimeOffset(file.LastWriteTimeUtc) } : null;
    }
}
