using Backup.Engine.Http;
using Backup.Engine.Stores.S3;

namespace Backup.Engine.GitHub.Git;

/// <summary>The body of an answer. It fails where no byte moves for a while, and where it breaks off; disposing it closes the answer.</summary>
internal sealed class WatchedBody : ReadOnlyStream
{
    private readonly HttpResponseMessage _response;
    private readonly Stream _body;
    private readonly StallWatch _watch;
    private readonly string _source;
    private readonly TimeSpan _stall;
    private long _read;

    private WatchedBody(HttpResponseMessage response, Stream body, string source, TimeSpan stall, CancellationToken cancellationToken)
    {
        (_response, _body, _source, _stall) = (response, body, source, stall);
        _watch = new(stall, cancellationToken);
    }

    /// <summary>Opens the body of an answer.</summary>
    /// <param name="response">The answer, which belongs to the stream from here on.</param>
    /// <param name="source">What it is, as a noun that a sentence may begin with.</param>
    /// <param name="stall">How long it may be silent.</param>
    /// <param name="cancellationToken">Cancels all reading.</param>
    public static async Task<WatchedBody> OpenAsync(HttpResponseMessage response, string source, TimeSpan stall, CancellationToken cancellationToken) =>
        new(response, await response.Content.ReadAsStreamAsync(cancellationToken), source, stall, cancellationToken);

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    protected override long BytesRead => _read;

    /// <inheritdoc/>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        try
        {
            _watch.Moved();
            var read = await _body.ReadAsync(buffer, _watch.Token);
            _read += read;
            return read;
        }
        catch (OperationCanceledException exception) when (_watch.Stalled)
        {
            throw new BackupException(FailureKind.TimedOut, $"{_source} sent nothing for {_stall.TotalSeconds:0.#} seconds.", "Run again.", exception);
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException)
        {
            throw HttpFailure.NoAnswer(_response.RequestMessage?.RequestUri, exception);
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _watch.Dispose();
            _body.Dispose();
            _response.Dispose();
        }

        base.Dispose(disposing);
    }
}
