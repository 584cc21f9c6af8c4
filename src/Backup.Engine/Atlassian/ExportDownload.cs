using System.Net;
using System.Net.Http.Headers;
using Backup.Engine.Http;
using Microsoft.Extensions.Logging;

namespace Backup.Engine.Atlassian;

/// <summary>
/// An export as one stream, however often its download breaks off. Each time the site's own address is asked again, because it signs a fresh one:
/// with Range for the bytes that are missing, and If-Range so that they are of the same file.
/// </summary>
internal sealed class ExportDownload : ReadOnlyStream
{
    private const int MaxFruitless = 10;
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(1);

    private readonly AtlassianClient _client;
    private readonly string _path;
    private readonly SiteBackupOptions _options;
    private readonly ILogger? _logger;
    private HttpResponseMessage? _response;
    private Stream? _body;
    private EntityTagHeaderValue? _tag;
    private long? _total;
    private long _position;
    private int _fruitless;
    private bool _isKnown;
    private bool _asksForRange = true;
    private bool _ended;
    private string _reason = "";

    private ExportDownload(AtlassianClient client, string path, SiteBackupOptions options) => (_client, _path, _options, _logger) = (client, path, options, options.Logger);

    /// <summary>The whole length in bytes, or null where the site does not say.</summary>
    public long? Total => _total;

    /// <summary>How often it broke off and was resumed.</summary>
    public int Resumed { get; private set; }

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    protected override long BytesRead => _position;

    /// <summary>Begins the download.</summary>
    /// <exception cref="BackupException">What the site answers instead of a file.</exception>
    public static async Task<ExportDownload> OpenAsync(AtlassianClient client, string path, SiteBackupOptions options, CancellationToken cancellationToken)
    {
        var download = new ExportDownload(client, path, options);
        try
        {
            await download.ConnectAsync(cancellationToken);
            return download;
        }
        catch
        {
            await download.DisposeAsync();
            throw;
        }
    }

    /// <inheritdoc/>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.Length == 0)
            return 0;
        while (!_ended)
        {
            if (_body is null)
                await ConnectAsync(cancellationToken);
            if (_ended)
                break;
            var read = await TryReadAsync(buffer, cancellationToken);
            if (read < 0)
                continue;
            if (read == 0)
            {
                if (_total is null || _position == _total)
                    break;
                BreakOff($"it ended {_total - _position} bytes early");
                continue;
            }

            if (_position + read > _total)
                throw new BackupException(FailureKind.LengthMismatch, $"The export of {_client.Site} has more than the {_total} bytes that were announced.", "Run again: the export is downloaded from its beginning.");
            // A page for people, whatever it is called: nothing of it is an export.
            if (_position == 0 && IsMarkup(buffer.Span[..read]))
                throw SignInPage();
            _position += read;
            _fruitless = 0;
            return read;
        }

        _ended = true;
        return 0;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
            Disconnect();
        base.Dispose(disposing);
    }

    /// <summary>Reads some bytes; -1 where the connection broke.</summary>
    private async Task<int> TryReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(_options.StallTimeout);
        try
        {
            return await _body!.ReadAsync(buffer, deadline.Token);
        }
        catch (Exception exception) when (exception is IOException or HttpRequestException)
        {
            BreakOff(exception.Message.TrimEnd('.'));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            BreakOff($"no byte came for {_options.StallTimeout.TotalSeconds:0.#} seconds");
        }

        return -1;
    }

    private void BreakOff(string reason)
    {
        Disconnect();
        _reason = reason;
        _fruitless++;
        Resumed++;
        _logger?.LogInformation("The download of {Site} broke off at byte {Position}: {Reason}. It is resumed.", _client.Site, _position, reason);
    }

    private void Disconnect()
    {
        _body?.Dispose();
        _response?.Dispose();
        (_body, _response) = (null, null);
    }

    private async Task ConnectAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            if (_fruitless > MaxFruitless)
                throw new BackupException(FailureKind.Unavailable, $"The download of {_client.Site} does not get beyond byte {_position}: {_reason}.", "Run again: what is stored already is not sent again.");
            // After the first cut at a place it is resumed at once.
            if (_fruitless > 1)
                await Task.Delay(Wait(_fruitless), _options.Store.Time, cancellationToken);
            try
            {
                _response = await _client.OpenAsync(_path, _asksForRange ? _position : 0, _tag, cancellationToken);
                if (await WhyNotAsync(_response, cancellationToken) is not { } reason)
                    return;
                _reason = reason;
            }
            catch (BackupException exception) when (exception is not SiteException && exception.Kind is FailureKind.Unavailable or FailureKind.TimedOut or FailureKind.Throttled)
            {
                _reason = exception.Message.TrimEnd('.');
            }

            Disconnect();
            _fruitless++;
            _logger?.LogInformation("{Site} gave no export at byte {Position}: {Reason}. It is asked again.", _client.Site, _position, _reason);
        }
    }

    /// <summary>Takes an answer as the rest of the file; else says why it is none, and may be one when asked again.</summary>
    private async Task<string?> WhyNotAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        switch (response.StatusCode)
        {
            case HttpStatusCode.OK:
                if (response.Content.Headers.ContentType?.MediaType is "text/html")
                    return _isKnown ? "a sign-in page" : throw SignInPage();
                Hold(response.Content.Headers.ContentLength, response.Headers.ETag);
                return await TakeAsync(response, 0, cancellationToken);
            case HttpStatusCode.PartialContent:
                var range = response.Content.Headers.ContentRange;
                if (range?.From is not { } from || from > _position)
                    return "a range that was not asked for";
                Hold(range.Length, response.Headers.ETag);
                return await TakeAsync(response, from, cancellationToken);
            case HttpStatusCode.RequestedRangeNotSatisfiable when _position > 0:
                return EndOrWhole(response.Content.Headers.ContentRange?.Length);
            default:
                return await RefusalAsync(response, cancellationToken);
        }
    }

    /// <summary>Remembers what the file is, and holds every further answer to it.</summary>
    private void Hold(long? total, EntityTagHeaderValue? tag)
    {
        var strong = tag is { IsWeak: false } ? tag : null;
        if (!_isKnown)
        {
            (_isKnown, _total, _tag) = (true, total, strong);
            return;
        }

        var isSame = strong is not null && _tag is not null && strong.Equals(_tag);
        if (strong is not null && _tag is not null && !isSame)
            throw Changed();
        if (total is not null && _total is not null && total != _total)
            throw isSame ? new BackupException(FailureKind.LengthMismatch, $"{_client.Site} announced {_total} bytes for its export, and then {total} for the same.", "Run again: the export is downloaded from its beginning.") : Changed();
    }

    private async Task<string?> TakeAsync(HttpResponseMessage response, long from, CancellationToken cancellationToken)
    {
        _body = await response.Content.ReadAsStreamAsync(cancellationToken);
        if (from == _position)
            return null;
        // The range was ignored: the bytes that are here already pass by once more.
        _logger?.LogInformation("{Site} sends the export from byte {From} again; {Count} bytes are passed over.", _client.Site, from, _position - from);
        var buffer = new byte[128 << 10];
        for (var left = _position - from; left > 0;)
        {
            var read = await TryReadAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, left)), cancellationToken);
            if (read <= 0)
                return read < 0 ? _reason : "it ended before the place where it had broken off";
            left -= read;
        }

        return null;
    }

    /// <summary>After "range not satisfiable": either everything is here, or the whole is asked for.</summary>
    private string? EndOrWhole(long? length)
    {
        if (length == _position)
        {
            _ended = true;
            return null;
        }

        if (length is not null)
            throw Changed();
        _asksForRange = false;
        return "it gives no ranges";
    }

    private async Task<string> RefusalAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var isSite = response.RequestMessage?.RequestUri is { } address && SafeUri.IsSameOrigin(address, _client.Site.Address);
        var isFirst = !_isKnown && isSite;
        return (int)response.StatusCode switch
        {
            // https://github.com/atlassian-api/atlassian-python-api/issues/1601: downloads began to refuse API tokens that work elsewhere.
            401 when isFirst => throw new SiteException(SiteStatus.AuthenticationFailed, FailureKind.AuthenticationFailed, $"{_client.Site} made the export, and does not let the API token of {_client.User} download it.", "Download it in the browser, then run: Save-AtlassianExport."),
            403 when isFirst => throw new SiteException(SiteStatus.PermissionDenied, FailureKind.PermissionDenied, $"{_client.User} may not download the export of {_client.Site}.", "The user has to be an administrator of the site. Or download it in the browser, then run: Save-AtlassianExport."),
            404 or 410 when isFirst => throw new BackupException(FailureKind.NotFound, $"{_client.Site} has the file of its export no more.", "Atlassian keeps an export for 14 days. Run again: a new one is asked for."),
            // An address was signed for a while, or for somebody else; a fresh one may do.
            401 or 403 or 404 or 410 => $"{(int)response.StatusCode}, which a stale address gives",
            _ => (await HttpFailure.OfAsync(response, "it", null, cancellationToken)).Message.TrimEnd('.'),
        };
    }

    private TimeSpan Wait(int fruitless) => TimeSpan.FromTicks(Math.Min(LongestWait.Ticks, _options.RetryDelay.Ticks * (1L << Math.Min(fruitless - 2, 20))));

    private static bool IsMarkup(ReadOnlySpan<byte> bytes)
    {
        if (bytes.StartsWith("\uFEFF"u8))
            bytes = bytes[3..];
        return bytes.TrimStart(" \t\r\n"u8).StartsWith("<"u8);
    }

    private SiteException SignInPage() => new(
        SiteStatus.AuthenticationFailed,
        FailureKind.AuthenticationFailed,
        $"{_client.Site} answers the download with a page for people instead of the export.",
        "It is probably a sign-in page: check that -User is an administrator and that the token is a classic one. Or download the export in the browser, then run: Save-AtlassianExport.");

    private BackupException Changed() => new(FailureKind.ChangedWhileRead, $"The export of {_client.Site} was replaced by another one while it was downloaded.", "Run again: the new one is downloaded from its beginning.");
}
