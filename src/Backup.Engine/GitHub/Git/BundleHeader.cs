using System.Buffers;
using System.Text;

namespace Backup.Engine.GitHub.Git;

/// <summary>The text before a bundle's pack (gitformat-bundle(5)): version 2, or 3 for another hash than SHA-1.</summary>
internal static class BundleHeader
{
    private const string Version2 = "# v2 git bundle";
    private const string Version3 = "# v3 git bundle";
    private const int MaxLine = 8 << 10;
    private const long MaxHeader = 512L << 20;

    /// <summary>Writes a header.</summary>
    /// <param name="format">The repository's hash.</param>
    /// <param name="prerequisites">Commits that a reader must have already.</param>
    /// <param name="refs">All refs.</param>
    /// <param name="head">The ref that HEAD stands for, or null. <c>git clone</c> of the bundle checks that out.</param>
    public static byte[] Write(ObjectFormat format, IEnumerable<string> prerequisites, IReadOnlyCollection<GitRef> refs, string? head)
    {
        var text = new StringBuilder();
        text.Append(format == ObjectFormat.Sha1 ? Version2 : $"{Version3}\n@object-format={format.Name}").Append('\n');
        foreach (var id in prerequisites)
            text.Append('-').Append(id).Append('\n');
        if (head is not null && refs.FirstOrDefault(item => item.Name == head) is { } target)
            text.Append(target.ObjectId).Append(" HEAD\n");
        foreach (var item in refs)
            text.Append(item.ObjectId).Append(' ').Append(item.Name).Append('\n');
        return Encoding.UTF8.GetBytes(text.Append('\n').ToString());
    }

    /// <summary>Reads past a header and gives what was read of the pack behind it.</summary>
    /// <param name="stream">A bundle.</param>
    /// <param name="key">Its key, for messages.</param>
    /// <param name="read">Told of all bytes that are read.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    public static async Task<byte[]> SkipAsync(Stream stream, string key, Action<ReadOnlySpan<byte>> read, CancellationToken cancellationToken)
    {
        var buffer = new byte[64 << 10];
        var line = new ArrayBufferWriter<byte>();
        var total = 0L;
        var isFirst = true;
        while (total < MaxHeader)
        {
            var count = await stream.ReadAsync(buffer, cancellationToken);
            if (count == 0)
                break;
            read(buffer.AsSpan(0, count));
            total += count;
            for (var rest = buffer.AsMemory(0, count); !rest.IsEmpty;)
            {
                var end = rest.Span.IndexOf((byte)'\n');
                line.Write(rest.Span[..(end < 0 ? rest.Length : end)]);
                if (line.WrittenCount > MaxLine)
                    throw Bad(key);
                if (end < 0)
                    break;
                if (isFirst && Encoding.UTF8.GetString(line.WrittenSpan) is not (Version2 or Version3))
                    throw Bad(key);
                isFirst = false;
                rest = rest[(end + 1)..];
                if (line.WrittenCount == 0)
                    return rest.ToArray();
                line.ResetWrittenCount();
            }
        }

        throw Bad(key);
    }

    private static BackupException Bad(string key) => new(FailureKind.Corrupt, $"'{key}' is not a bundle.", "Use another generation.");
}
