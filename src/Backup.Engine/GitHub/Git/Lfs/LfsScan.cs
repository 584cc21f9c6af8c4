using System.Globalization;
using System.Text;

namespace Backup.Engine.GitHub.Git.Lfs;

/// <summary>Finds LFS pointers among the objects of a pack: all of history, whatever its branches hold today.</summary>
internal static class LfsScan
{
    private const int LineLimit = 256;

    /// <summary>Reads all small blobs of a pack. Two processes, whatever the number of objects.</summary>
    /// <param name="command">A run of git that sees the pack; its arguments are replaced.</param>
    /// <param name="index">The index of the pack.</param>
    /// <param name="format">The repository's hash.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    public static async Task<IReadOnlyCollection<LfsPointer>> FindAsync(GitCommand command, string index, ObjectFormat format, CancellationToken cancellationToken)
    {
        var candidates = new List<string>();
        using (var objects = PackIndex.Open(index, format))
        {
            await CheckedAsync(
                command with { Arguments = ["cat-file", "--batch-check=%(objectname) %(objecttype) %(objectsize)", "--buffer"] },
                objects.Ids(),
                async output =>
                {
                    using var reader = new StreamReader(output, leaveOpen: true);
                    while (await reader.ReadLineAsync(CancellationToken.None) is { } line)
                    {
                        if (line.Split(' ') is [var id, "blob", var digits] && int.TryParse(digits, CultureInfo.InvariantCulture, out var size) && size is >= LfsPointer.MinSize and < LfsPointer.MaxSize)
                            candidates.Add(id);
                    }
                },
                cancellationToken);
        }

        var found = new Dictionary<string, LfsPointer>(StringComparer.Ordinal);
        if (candidates.Count > 0)
        {
            await CheckedAsync(
                command with { Arguments = ["cat-file", "--batch=%(objectsize)", "--buffer"] },
                candidates,
                output => ReadBlobsAsync(output, found),
                cancellationToken);
        }

        return found.Values;
    }

    private static async Task ReadBlobsAsync(Stream output, Dictionary<string, LfsPointer> found)
    {
        await using var reader = new BufferedStream(output, 64 << 10);
        var blob = new byte[LfsPointer.MaxSize + 1];
        while (await ReadSizeAsync(reader) is { } size)
        {
            // The blob, and the line feed that follows it.
            await reader.ReadExactlyAsync(blob.AsMemory(0, size + 1));
            if (LfsPointer.TryParse(blob.AsSpan(0, size)) is { } pointer)
                found[pointer.Oid] = pointer;
        }
    }

    private static async Task<int?> ReadSizeAsync(BufferedStream reader)
    {
        var line = new StringBuilder();
        var one = new byte[1];
        while (await reader.ReadAsync(one) == 1)
        {
            if (one[0] == '\n')
                return int.TryParse(line.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var size) && size <= LfsPointer.MaxSize ? size : throw Unexpected(line.ToString());
            if (line.Append((char)one[0]).Length > LineLimit)
                break;
        }

        return line.Length == 0 ? null : throw Unexpected(line.ToString());
    }

    private static async Task CheckedAsync(GitCommand command, IEnumerable<string> ids, Func<Stream, Task> read, CancellationToken cancellationToken)
    {
        var exit = await GitProcess.RunAsync(
            command,
            cancellationToken,
            async process =>
            {
                // A page at a time: a write is a system call.
                foreach (var page in ids.Chunk(1000))
                    await process.WriteAsync(Encoding.ASCII.GetBytes(string.Join('\n', page) + "\n"));
            },
            read);
        if (exit.Code != 0)
            throw new BackupException(FailureKind.Corrupt, $"git cat-file failed: {exit.Reason}.");
    }

    private static BackupException Unexpected(string line) => new(FailureKind.Unknown, $"git cat-file answered '{RefAdvertisement.Printable(line)}'.");
}
