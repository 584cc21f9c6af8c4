using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;

namespace Backup.Engine.Notifications;

/// <summary>One notice: a heading, facts and lines of text.</summary>
/// <param name="Title">The heading.</param>
/// <param name="Facts">Names and values, a row each.</param>
/// <param name="Lines">Lines of text; as many as fit are sent.</param>
internal sealed record Notice(string Title, IReadOnlyList<KeyValuePair<string, string>> Facts, IReadOnlyList<string> Lines);

/// <summary>Posts notices to an address that is a secret: neither it nor its path is ever told, which is why this does not log as other requests do.</summary>
internal abstract class Webhook : IDisposable
{
    private const int Attempts = 3;
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(20);

    private readonly Uri _address;
    private readonly HttpClient _http;
    private readonly TimeProvider _time;
    private readonly ILogger? _logger;

    /// <summary>Addresses a webhook.</summary>
    /// <exception cref="BackupException"><see cref="FailureKind.InvalidInput"/> where the address is not https; loopback may be http.</exception>
    protected Webhook(Uri address, string advice, TimeProvider? time, ILogger? logger)
    {
        if (!address.IsAbsoluteUri || !(address.Scheme == Uri.UriSchemeHttps || (address.Scheme == Uri.UriSchemeHttp && address.IsLoopback)))
            throw new BackupException(FailureKind.InvalidInput, "The webhook's address is not https.", advice);
        (_address, _time, _logger) = (address, time ?? TimeProvider.System, logger);
        _http = new(new SocketsHttpHandler { AllowAutoRedirect = false }) { Timeout = Timeout };
    }

    /// <summary>Sends a notice; null where it arrived, else why it did not. It never throws but for a cancellation, and never tells the address.</summary>
    public async Task<string?> SendAsync(Notice notice, CancellationToken cancellationToken)
    {
        var message = Message(notice);
        string? reason = null;
        for (var attempt = 1; attempt <= Attempts; attempt++)
        {
            if (attempt > 1)
                await Task.Delay(TimeSpan.FromSeconds(Math.Pow(2, attempt - 2) * (0.5 + (Random.Shared.NextDouble() / 2))), _time, cancellationToken);
            try
            {
                using var content = JsonContent.Create(message);
                using var response = await _http.PostAsync(_address, content, cancellationToken);
                if (response.IsSuccessStatusCode)
                    return null;
                reason = $"the webhook answered {(int)response.StatusCode}";
                if ((int)response.StatusCode < 500 && response.StatusCode is not (HttpStatusCode.TooManyRequests or HttpStatusCode.RequestTimeout))
                    break;
            }
            catch (HttpRequestException exception)
            {
                reason = $"the webhook at {_address.Host} cannot be reached ({exception.HttpRequestError})";
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                reason = $"the webhook at {_address.Host} did not answer in {Timeout.TotalSeconds:0} s";
            }

            _logger?.LogDebug("Attempt {Attempt}: {Reason}.", attempt, reason);
        }

        return reason;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _http.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>The notice in the form that the other side takes.</summary>
    protected abstract JsonObject Message(Notice notice);
}
