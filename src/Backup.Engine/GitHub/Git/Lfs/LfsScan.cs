using System.Globalization;
using System.Runtime.ExceptionServices;
using System.Text;
using System.Threading.Channels;

namespace Backup.Engine.GitHub.Git.Lfs;

/// <summary>Finds LFS pointers among the objects of a pack: all of history, whatever its branches hold today.</summary>
internal static class LfsScan
{
    private const int LineLimit = 256;
    private const int Page = 1000;

    /// <summary>Reads all small blobs of a pack. Two processes side by side, whatever the number of objects.</summary>
    /// <param name="command">A run of git that sees the pack; its arguments are replaced.</param>
    /// <param name="index">The index of the pack.</param>
    /// <param name="format">The repository's hash.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    public static async Task<IReadOnlyCollection<LfsPointer>> FindAsync(GitCommand command, string index, ObjectFormat format, CancellationToken cancellationToken)
    {
        var found = new Dictionary<string, LfsPointer>(StringComparer.Ordinal);
        // A page of ids between the two: memory does not grow with the history.
        var candidates = Channel.CreateBounded<string>(Page);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var objects = PackIndex.Open(index, format);
        var both = Task.WhenAll(
            StopOnFailureAsync(
                RunAsync(
                    command with { Arguments = ["cat-file", "--batch-check=%(objectname) %(objecttype) %(objectsize)", "--buffer"] },
                    objects.Ids().ToAsyncEnumerable(),
                    output => ReadSizesAsync(output, candidates.Writer, stop.Token),
                    stop.Token),
                stop),
            StopOnFailureAsync(ReadCandidatesAsync(command, candidates.Reader, found, stop.Token), stop));
        try
        {
            await both;
        }
        catch when (both.Exception?.InnerExceptions.FirstOrDefault(exception => exception is not OperationCanceledException) is { } cause)
        {
            // The other one was only stopped.
            ExceptionDispatchInfo.Throw(cause);
        }

        return found.Values;
    }

    private static async Task ReadCandidatesAsync(GitCommand command, ChannelReader<string> candidates, Dictionary<string, LfsPointer> found, CancellationToken cancellationToken)
    {
        if (await candidates.WaitToReadAsync(cancellationToken))
            await RunAsync(command with { Arguments = ["cat-file", "--batch=%(objectsize)", "--buffer"] }, candidates.ReadAllAsync(cancellationToken), output => ReadBlobsAsync(output, found), cancellationToken);
    }

    private static async Task StopOnFailureAsync(Task task, CancellationTokenSource stop)
    {
        try
        {
            await task;
        }
        catch
        {
            await stop.CancelAsync();
            throw;
        }
    }

    private static async Task ReadSizesAsync(Stream output, ChannelWriter<string> candidates, CancellationToken cancellationToken)
    {
        try
        {
            using var reader = new StreamReader(output, leaveOpen: true);
            while (await reader.ReadLineAsync(CancellationToken.None) is { } line)
            {
                if (line.Split(' ') is [var id, "blob", var digits] && int.TryParse(digits, CultureInfo.InvariantCulture, out var size) && size is >= LfsPointer.MinSize and < LfsPointer.MaxSize)
                    await candidates.WriteAsync(id, cancellationToken);
            }
        }
        finally
        {
            candidates.Complete();
        }
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

    private static async Task RunAsync(GitCommand command, IAsyncEnumerable<string> ids, Func<Stream, Task> read, CancellationToken cancellationToken)
    {
        var exit = await GitProcess.RunAsync(
            command,
            cancellationToken,
            async process =>
            {
                // A page at a time: a write is a system call.
                await foreach (var page in ids.Chunk(Page).WithCancellation(cancellationToken))
                    await process.WriteAsync(Encoding.ASCII.GetBytes(string.Join('\n', page) + "\n"));
            },
            read);
        if (exit.Code != 0)
            throw new BackupException(FailureKind.Corrupt, $"git cat-file failed: {exit.Reason}.");
    }

    private static BackupException Unexpected(string line) => new(FailureKind.Unknown, $"git cat-file answered '{RefAdvertisement.Printable(line)}'.");
}
