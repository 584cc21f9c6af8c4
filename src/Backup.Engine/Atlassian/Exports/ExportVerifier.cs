using System.IO.Pipelines;

namespace Backup.Engine.Atlassian.Exports;

/// <summary>
/// Proves an export while its bytes travel: they are written to it in order, as they are written to the store, and at the end it says whether the file is whole,
/// what it holds, or what is wrong and where. It works beside whoever writes, on another thread, and asks for no more than some 5 MB of memory and 32 bytes an entry.
/// <para>
/// .NET's own zip reader checks no CRC-32 before .NET 11 and needs a file that it can seek in; this needs neither.
/// </para>
/// </summary>
/// <example>
/// <code>
/// await using var verifier = new ExportVerifier();
/// await store.WriteAsync(key, verifier.Watch(download), options, token);
/// var report = await verifier.CompleteAsync(token);
/// </code>
/// </example>
public sealed class ExportVerifier : IAsyncDisposable
{
    // So far may the writer be ahead of the verifier.
    private const int MostBehind = 4 * 1024 * 1024;
    private const int Segment = 64 * 1024;

    private readonly Pipe _pipe = new(new PipeOptions(
        pauseWriterThreshold: MostBehind,
        resumeWriterThreshold: MostBehind / 2,
        minimumSegmentSize: Segment,
        useSynchronizationContext: false));

    private readonly ExportContents _contents = new();
    private readonly Task _walk;
    private volatile ExportProblem? _problem;
    private volatile bool _walkEnded;
    private long _length;

    /// <summary>Begins with an empty file.</summary>
    public ExportVerifier() => _walk = Task.Run(WalkAsync);

    /// <summary>What is known to be wrong so far, or null. It is told as soon as it is found, so that a download that is lost may be ended.</summary>
    public ExportProblem? Problem => _problem;

    /// <summary>Verifies a whole stream, from where it stands.</summary>
    public static async Task<ExportReport> VerifyAsync(Stream export, CancellationToken cancellationToken = default)
    {
        await using var verifier = new ExportVerifier();
        var buffer = new byte[Segment];
        for (int read; (read = await export.ReadAsync(buffer, cancellationToken)) > 0;)
            await verifier.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
        return await verifier.CompleteAsync(cancellationToken);
    }

    /// <summary>A stream that gives what <paramref name="source"/> gives and shows it to this verifier. Whoever reads it to its end still has to call <see cref="CompleteAsync"/>.</summary>
    public Stream Watch(Stream source) => new WatchedStream(source, this);

    /// <summary>
    /// The file's next bytes, which are copied. Waits while the verifier is more than 4 MiB behind. After the first problem the bytes are only counted.
    /// Not for several threads at once; after a cancelled call the verifier can only be disposed of.
    /// </summary>
    public async ValueTask WriteAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken = default)
    {
        _length += data.Length;
        if (!_walkEnded)
            await _pipe.Writer.WriteAsync(data, cancellationToken);
    }

    /// <summary>The file ends here. Waits for the verifier to come to the end too, and gives its report.</summary>
    public async Task<ExportReport> CompleteAsync(CancellationToken cancellationToken = default)
    {
        await _pipe.Writer.CompleteAsync();
        await _walk.WaitAsync(cancellationToken);
        return new()
        {
            Problem = _problem,
            Kind = _contents.Kind,
            Length = _length,
            EntryCount = _contents.EntryCount,
            UncompressedBytes = _contents.UncompressedBytes,
            AttachmentCount = _contents.AttachmentCount,
            DocumentCount = _contents.DocumentCount,
            Entities = new SortedDictionary<string, long>(_contents.Entities, StringComparer.Ordinal),
            Descriptor = _contents.Descriptor,
        };
    }

    /// <summary>Gives the export up, unless it is complete, and waits for the end of the work.</summary>
    public async ValueTask DisposeAsync()
    {
        await _pipe.Writer.CompleteAsync(new OperationCanceledException("The export was given up."));
        await _walk.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    private async Task WalkAsync()
    {
        try
        {
            var walk = new ZipWalk(new ZipSource(_pipe.Reader), _contents);
            try
            {
                await walk.RunAsync();
                _problem = walk.DocumentProblem;
            }
            catch (ExportProblemException exception)
            {
                _problem = exception.Problem;
            }
        }
        finally
        {
            _walkEnded = true;
            await _pipe.Reader.CompleteAsync();
        }
    }

    private sealed class WatchedStream(Stream source, ExportVerifier verifier) : ReadOnlyStream
    {
        private long _read;

        public override long Length => throw new NotSupportedException();

        protected override long BytesRead => _read;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var read = await source.ReadAsync(buffer, cancellationToken);
            await verifier.WriteAsync(buffer[..read], cancellationToken);
            _read += read;
            return read;
        }
    }
}
