using System.Net;
using System.Security.Authentication;
using Microsoft.Extensions.Logging;
using Polly;
using Polly.Retry;

namespace Backup.Engine.Http;

/// <summary>
/// Sends requests: follows redirects, tries again what may succeed again, and tells its decisions to the logger.
/// A final answer is given back whatever its status; <see cref="HttpFailure"/> says what it amounts to.
/// </summary>
internal sealed class HttpSender : IDisposable
{
    private static readonly ResiliencePropertyKey<Sending> Current = new("sending");

    private readonly HttpClient _client;
    private readonly HttpOptions _options;
    private readonly ILogger? _logger;
    private readonly ResiliencePipeline<HttpResponseMessage> _pipeline;

    /// <summary>Makes a sender with a client of its own.</summary>
    public HttpSender(HttpOptions? options = null)
    {
        _options = options ?? new();
        _logger = _options.Logger;
        _client = HttpClients.Create(_options);
        var builder = new ResiliencePipelineBuilder<HttpResponseMessage> { TimeProvider = _options.Time };
        if (_options.MaxAttempts > 1)
            builder.AddRetry(Retries());
        _pipeline = builder.Build();
    }

    /// <summary>Sends a request.</summary>
    /// <param name="create">Makes the request: called for each attempt and each redirect, because a request and its content are used up by sending.</param>
    /// <param name="how">What is special about it, or null.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    /// <returns>The answer. The caller disposes it, and reads the body where it was not buffered. Its request's address is where redirects have led to.</returns>
    /// <exception cref="BackupException"><see cref="FailureKind.Unavailable"/> or <see cref="FailureKind.TimedOut"/> where there was no answer.</exception>
    public async Task<HttpResponseMessage> SendAsync(Func<HttpRequestMessage> create, SendOptions? how = null, CancellationToken cancellationToken = default)
    {
        var sending = new Sending(create, how ?? new());
        var context = ResilienceContextPool.Shared.Get(cancellationToken);
        context.Properties.Set(Current, sending);
        try
        {
            return await _pipeline.ExecuteAsync(async inner => await FollowAsync(sending, inner.CancellationToken), context);
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException or TimeoutException)
        {
            throw HttpFailure.NoAnswer(sending.Address, exception);
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _client.Dispose();

    private RetryStrategyOptions<HttpResponseMessage> Retries() => new()
    {
        MaxRetryAttempts = _options.MaxAttempts - 1,
        BackoffType = DelayBackoffType.Exponential,
        UseJitter = true,
        Delay = _options.FirstDelay,
        MaxDelay = _options.LongestDelay,
        ShouldHandle = arguments => new(IsWorthAnother(arguments.Outcome, arguments.Context.Properties.GetValue(Current, null!))),
        DelayGenerator = arguments => new(arguments.Outcome.Result is { } response ? AskedWait(response, arguments.Context.Properties.GetValue(Current, null!)) : null),
        OnRetry = arguments =>
        {
            var sending = arguments.Context.Properties.GetValue(Current, null!);
            var reason = arguments.Outcome is { Result: { } response } ? $"{(int)response.StatusCode}" : HttpFailure.Cause(arguments.Outcome.Exception!);
            _logger?.LogInformation("{Method} {Address}: {Reason}. Attempt {Attempt} of {Attempts} follows in {Delay:0.#} s.", sending.Method, SafeUri.Of(sending.Address), reason, arguments.AttemptNumber + 2, _options.MaxAttempts, arguments.RetryDelay.TotalSeconds);
            arguments.Outcome.Result?.Dispose();
            return default;
        },
    };

    private bool IsWorthAnother(Outcome<HttpResponseMessage> outcome, Sending sending)
    {
        if (outcome.Exception is { } exception)
        {
            // A certificate does not become good by asking again.
            if (exception is not (HttpRequestException or IOException or TimeoutException) || exception.InnerException is AuthenticationException)
                return false;
            return sending.IsRepeatable || exception is HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError };
        }

        var response = outcome.Result!;
        return sending.IsRepeatable
            && (IsTransient(response.StatusCode) || sending.How.WaitFor?.Invoke(response) is not null)
            && !(AskedWait(response, sending) > _options.LongestRetryAfter);
    }

    private TimeSpan? AskedWait(HttpResponseMessage response, Sending sending) =>
        sending.How.WaitFor?.Invoke(response) ?? RetryAfter.Of(response.Headers, _options.Time.GetUtcNow());

    private static bool IsTransient(HttpStatusCode status) =>
        status is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests
        || ((int)status >= 500 && status is not (HttpStatusCode.NotImplemented or HttpStatusCode.HttpVersionNotSupported));

    private async Task<HttpResponseMessage> FollowAsync(Sending sending, CancellationToken cancellationToken)
    {
        Redirect? redirect = null;
        for (var hop = 0; ; hop++)
        {
            var request = sending.Create();
            redirect?.Apply(request);
            (sending.Method, sending.Address) = (request.Method, request.RequestUri);
            var response = await SendOnceAsync(request, sending.How, cancellationToken);
            try
            {
                redirect = Redirect.Of(response, redirect);
                if (redirect is null)
                    return response;
                if (hop == _options.MaxRedirects)
                    throw new BackupException(FailureKind.Unavailable, $"{SafeUri.Of(sending.Address)} was redirected to, and redirects again after {hop} redirects.", "Check the address, and that the credentials belong to it.");
                _logger?.LogDebug("{Address} redirects to {Target}{Dropped}.", SafeUri.Of(sending.Address), SafeUri.Of(redirect.Target), redirect.KeepsCredentials ? "" : ", without the credentials");
            }
            catch
            {
                response.Dispose();
                throw;
            }

            response.Dispose();
        }
    }

    private async Task<HttpResponseMessage> SendOnceAsync(HttpRequestMessage request, SendOptions how, CancellationToken cancellationToken)
    {
        // By the machine's own clock, whatever clock the waits are measured with: bytes do not travel in test time.
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(_options.AnswerTimeout);
        HttpResponseMessage? response = null;
        try
        {
            response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, deadline.Token);
            if (how.BufferUpTo is { } limit)
                await response.Content.LoadIntoBufferAsync(limit, deadline.Token);
            return response;
        }
        catch (OperationCanceledException exception) when (!cancellationToken.IsCancellationRequested)
        {
            response?.Dispose();
            // SocketsHttpHandler says by a cancellation that its ConnectTimeout is over; nobody cancelled anything.
            throw deadline.IsCancellationRequested
                ? new TimeoutException($"no answer within {_options.AnswerTimeout.TotalSeconds:0.#} seconds", exception)
                : new HttpRequestException(HttpRequestError.ConnectionError, $"no connection within {_options.ConnectTimeout.TotalSeconds:0.#} seconds", exception);
        }
        catch
        {
            response?.Dispose();
            throw;
        }
    }

    /// <summary>One request with all its attempts and redirects.</summary>
    private sealed class Sending(Func<HttpRequestMessage> create, SendOptions how)
    {
        public Func<HttpRequestMessage> Create { get; } = create;

        public SendOptions How { get; } = how;

        public HttpMethod? Method { get; set; }

        public Uri? Address { get; set; }

        public bool IsRepeatable => How.Repeatable ?? (Method == HttpMethod.Get || Method == HttpMethod.Head || Method == HttpMethod.Options || Method == HttpMethod.Put || Method == HttpMethod.Delete);
    }
}
