using System.IO.Compression;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Backup.Engine.Stores;

namespace Backup.Engine.GitHub;

/// <summary>Reads records back: the files are merged as they arrive, and of each record the newest is taken.</summary>
internal static class RecordReader
{
    /// <summary>The records in the order of a number that each has.</summary>
    /// <param name="store">The store.</param>
    /// <param name="files">The files, the oldest first, each in that order.</param>
    /// <param name="field">The number: <c>id</c> or <c>number</c>.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    /// <exception cref="BackupException"><see cref="FailureKind.NotFound"/>; <see cref="FailureKind.Corrupt"/>.</exception>
    public static async IAsyncEnumerable<JsonElement> ReadAsync(IObjectStore store, IReadOnlyList<string> files, string field, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var cursors = files.Select(file => FileAsync(store, file, cancellationToken).GetAsyncEnumerator(cancellationToken)).ToList();
        try
        {
            // Of one number the newest file first.
            var next = new PriorityQueue<int, (long Number, int Newness)>();
            for (var i = 0; i < cursors.Count; i++)
                await AdvanceAsync(i);
            var last = long.MinValue;
            while (next.TryDequeue(out var index, out var place))
            {
                if (place.Number != last)
                    yield return cursors[index].Current;
                last = place.Number;
                await AdvanceAsync(index);
            }

            async ValueTask AdvanceAsync(int index)
            {
                if (await cursors[index].MoveNextAsync())
                    next.Enqueue(index, (cursors[index].Current.GetProperty(field).GetInt64(), -index));
            }
        }
        finally
        {
            foreach (var cursor in cursors)
                await cursor.DisposeAsync();
        }
    }

    /// <summary>The records of files in which they come in any order: those of the newest file first, and of one id the newest alone.</summary>
    public static async IAsyncEnumerable<JsonElement> NewestAsync(IObjectStore store, IReadOnlyList<string> files, string field, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var seen = new HashSet<long>();
        foreach (var file in files.Reverse())
        {
            await foreach (var element in FileAsync(store, file, cancellationToken))
            {
                if (seen.Add(element.GetProperty(field).GetInt64()))
                    yield return element;
            }
        }
    }

    /// <summary>The records of one file, as they are in it.</summary>
    public static async IAsyncEnumerable<JsonElement> FileAsync(IObjectStore store, string file, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var content = await store.ReadAsync(file, null, cancellationToken);
        await using var gzip = new GZipStream(content.Stream, CompressionMode.Decompress);
        using var lines = new StreamReader(gzip);
        while (await LineAsync(lines, file, cancellationToken) is { } line)
            yield return Parse(line, file);
    }

    private static async ValueTask<string?> LineAsync(StreamReader lines, string file, CancellationToken cancellationToken)
    {
        try
        {
            return await lines.ReadLineAsync(cancellationToken);
        }
        catch (InvalidDataException exception)
        {
            throw Damaged(file, exception);
        }
    }

    private static JsonElement Parse(string line, string file)
    {
        try
        {
            return JsonElement.Parse(line);
        }
        catch (JsonException exception)
        {
            throw Damaged(file, exception);
        }
    }

    private static BackupException Damaged(string file, Exception inner) =>
        new(FailureKind.Corrupt, $"'{file}' is damaged: {inner.Message.TrimEnd('.')}.", "Restore an earlier run with -At.", inner);
}
