using System.Net;

namespace Backup.Engine.Stores.S3;

/// <summary>
/// The bytes of an object. When the connection breaks it goes on where it was, as long as the object is still the same;
/// it ends with an exception, never early.
/// </summary>
internal sealed class ObjectReader(S3Http http, string key, ReadOptions options, StoreOptions store) : ReadOnlyStream
{
    private S3Response? _response;
    private Stream? _body;
    private string? _etag;
    private bool _opened;
    private long _position = options.Offset;
    private long _end;
    private int _failures;

    public override long Length => _end - options.Offset;

    /// <inheritdoc/>
    protected override long BytesRead => _position - options.Offset;

    /// <summary>Sends the request and reads the answer's head.</summary>
    public async Task<S3Response> OpenAsync(CancellationToken cancellationToken)
    {
        var request = new S3Request(HttpMethod.Get, key) { Streams = true };
        if (_position > 0 || options.Length is not null)
            request.With("range", $"bytes={_position}-{(_opened ? $"{_end - 1}" : options.Length is { } length ? $"{_position + length - 1}" : "")}");
        if (options.VersionId is { } version)
            request.Ask("versionId", version);
        if (_etag is { } etag)
            request.With("if-match", $"\"{etag}\"");
        else if (!_opened)
            request.With("x-amz-checksum-mode", "ENABLED");
        else
            throw new BackupException(FailureKind.NotSupported, $"'{http.NameOf(key)}' broke off, and the store gives it no ETag to go on by.", "Read it again from the beginning.");

        var (answer, error, _) = await http.TrySendAsync(request, cancellationToken);
        if (answer is not { } response)
        {
            throw error!.Status == HttpStatusCode.PreconditionFailed
                ? new BackupException(FailureKind.ChangedWhileRead, $"'{http.NameOf(key)}' was replaced while it was read.", "Read it again from the beginning.")
                : error.ToException(http.NameOf(key), http.Bucket, http.Region);
        }

        if (_position > 0 && response.Status != HttpStatusCode.PartialContent)
        {
            response.Dispose();
            throw new BackupException(FailureKind.NotSupported, $"The store does not read '{http.NameOf(key)}' from its middle on (Range).");
        }

        if (!_opened)
        {
            var length = response.ContentLength ?? throw new BackupException(FailureKind.Unavailable, $"The store does not say how long '{http.NameOf(key)}' is.");
            // A store that gives more than the range that was asked for is read to the range's end.
            (_opened, _etag, _end) = (true, response.ETag, _position + Math.Min(length, options.Length ?? length));
        }

        _response = response;
        _body = response.OpenBody(cancellationToken);
        return response;
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.IsEmpty)
            return 0;
        while (_position < _end)
        {
            try
            {
                if (_body is null)
                    await OpenAsync(cancellationToken);
                using var watch = new StallWatch(store.StallTimeout, cancellationToken);
                int read;
                try
                {
                    read = await _body!.ReadAsync(buffer[..(int)Math.Min(buffer.Length, _end - _position)], watch.Token);
                }
                catch (OperationCanceledException stall) when (watch.Stalled)
                {
                    throw new TimeoutException($"no byte moved for {store.StallTimeout.TotalSeconds:0} seconds", stall);
                }

                if (read == 0)
                    throw new EndOfStreamException("the answer ended early");
                _position += read;
                _failures = 0;
                return read;
            }
            catch (Exception exception) when (exception is IOException or HttpRequestException or TimeoutException)
            {
                Disconnect();
                if (++_failures >= store.MaxAttempts)
                    throw new BackupException(FailureKind.Unavailable, $"'{http.NameOf(key)}' broke off at byte {_position} of {_end}, {_failures} times: {exception.Message}", "Check the network, then run again.", exception);
                await Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.Next(50, 200) * _failures), store.Time, cancellationToken);
            }
        }

        return 0;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            Disconnect();
        base.Dispose(disposing);
    }

    private void Disconnect()
    {
        _body?.Dispose();
        _response?.Dispose();
        (_body, _response) = (null, null);
    }
}
