using System.Net;
using System.Net.Http.Headers;
using System.Security.Authentication;
using System.Security.Cryptography;
using Amazon.Runtime;
using Backup.Engine.Aws;
using Backup.Engine.Stores.Transfer;
using Microsoft.Extensions.Logging;

namespace Backup.Engine.Stores.S3;

/// <summary>
/// Sends requests to one bucket: signs them, bounds how many are in flight, watches that bytes move, and tries again what may succeed again
/// (full jitter: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
/// </summary>
internal sealed class S3Http : IDisposable
{
    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(20);

    // The longest answer that is held whole is a page of a listing: 1,000 keys of 1,024 bytes, each of them escaped.
    private const long LongestDocument = 16 << 20;
    private const int MaxRedirects = 3;
    private static readonly TimeSpan SkewWorthCorrecting = TimeSpan.FromMinutes(4);

    private readonly AwsSession _session;
    private readonly StoreOptions _options;
    private readonly HttpMessageInvoker _invoker;
    private readonly SigV4Signer _signer;
    private readonly RequestGate _gate;
    private readonly BandwidthLimit? _bandwidth;
    private readonly ILogger? _logger;
    private readonly string _pathPrefix;
    private readonly string _origin;
    private readonly string _host;
    private long _skewTicks;
    private bool _redirected;

    public S3Http(string bucket, AwsSession session, StoreOptions options)
    {
        (Bucket, _session, _options, _logger) = (bucket, session, options, options.Logger);
        (_origin, _host, _pathPrefix) = Address(bucket, session);
        IsTls = _origin.StartsWith("https:", StringComparison.Ordinal);
        _signer = new(session.Region);
        _gate = new(options.MaxConcurrency, options.Time, options.Logger);
        _bandwidth = options.MaxBandwidth is { } rate ? new(rate, options.Time) : null;
        var handler = CreateHandler(options);
        handler.PlaintextStreamFilter = static (context, _) => new(new RequestStream(context.PlaintextStream));
        _invoker = new(handler, disposeHandler: true);
    }

    public string Bucket { get; }

    public string Region => _session.Region;

    public StoreOptions Options => _options;

    /// <summary>Whether the connection is encrypted; only then may a payload go unsigned.</summary>
    public bool IsTls { get; }

    /// <summary>The bytes of object data that were handed to the network, those of failed attempts included.</summary>
    public long BytesSent => Interlocked.Read(ref _bytesSent);

    private long _bytesSent;

    /// <summary>How requests name an object.</summary>
    public string NameOf(string? key) => key is null ? $"s3://{Bucket}" : $"s3://{Bucket}/{key}";

    /// <summary>Sends a request until it succeeds, or fails for good.</summary>
    /// <exception cref="BackupException">S3's answer, or that there was none.</exception>
    public async Task<S3Response> SendAsync(S3Request request, CancellationToken cancellationToken)
    {
        var (response, error, _) = await TrySendAsync(request, cancellationToken);
        return response ?? throw error!.ToException(NameOf(request.Key), Bucket, _session.Region);
    }

    /// <summary>Sends a request; an answer that is an error and stays one is returned.</summary>
    /// <returns>The response or the error, and how often the request was sent.</returns>
    public async Task<(S3Response? Response, S3Error? Error, int Attempts)> TrySendAsync(S3Request request, CancellationToken cancellationToken)
    {
        var refreshed = false;
        var corrected = false;
        var redirects = 0;
        var way = new Way(null, AsksFirst: Volatile.Read(ref _redirected));
        for (var attempt = 1; ; attempt++)
        {
            var keys = await _session.GetKeysAsync(cancellationToken);
            TimeSpan? retryAfter = null;
            BackupException failure;
            var attempts = _options.MaxAttempts;
            try
            {
                var answer = await SendOnceAsync(request, keys, way, cancellationToken);
                if (answer.Error is not { } error)
                    return (answer.Response, null, attempt);

                retryAfter = answer.RetryAfter;
                if (answer.Location is { } location && redirects++ < MaxRedirects)
                {
                    Volatile.Write(ref _redirected, true);
                    way = new(location, AsksFirst: true);
                    continue;
                }

                if (error.IsExpired && !refreshed && await _session.RefreshAsync(keys, cancellationToken))
                {
                    _logger?.LogInformation("The credentials had expired and were renewed.");
                    refreshed = true;
                    continue;
                }

                if (!corrected && ClockIsWrong(error, answer.ServerTime))
                {
                    corrected = true;
                    continue;
                }

                if (error.IsThrottle)
                {
                    _gate.SlowDown();
                    attempts *= 2;
                }

                if (!error.IsTransient || attempt >= attempts || (request.IsProbe && error.Kind == FailureKind.ChecksumMismatch))
                    return (null, error, attempt);
                failure = error.ToException(NameOf(request.Key), Bucket, _session.Region);
            }
            catch (Exception exception) when (exception is HttpRequestException or IOException or TimeoutException)
            {
                failure = NoAnswer(request, exception);
                // A certificate does not become good by asking again.
                if (attempt >= attempts || exception is HttpRequestException { InnerException: AuthenticationException })
                    throw failure;
                // A store that refuses a request before it has read all of it breaks the connection, and its reason is lost with it.
                way = way with { AsksFirst = true };
            }

            var delay = Jitter(attempt) + (retryAfter ?? TimeSpan.Zero);
            _logger?.LogDebug("Attempt {Attempt} failed, next in {Delay:F1} s: {Failure}", attempt, delay.TotalSeconds, failure.Message);
            await Task.Delay(delay, _options.Time, cancellationToken);
        }
    }

    public void Dispose() => _invoker.Dispose();

    private static TimeSpan Jitter(int attempt)
    {
        var ceiling = Math.Min(LongestDelay.TotalMilliseconds, FirstDelay.TotalMilliseconds * Math.Pow(2, attempt));
        return TimeSpan.FromMilliseconds(1 + (Random.Shared.NextDouble() * ceiling));
    }

    // Without what may stand before an @ in a URL: that would be a secret, and the origin is named in messages.
    internal static string OriginOf(Uri uri) => uri.GetComponents(UriComponents.SchemeAndServer, UriFormat.UriEscaped);

    private static string HostOf(Uri uri) => uri.IsDefaultPort ? uri.Host : $"{uri.Host}:{uri.Port}";

    internal static (string Origin, string Host, string PathPrefix) Address(string bucket, AwsSession session)
    {
        if (session.Endpoint is { } endpoint)
            return (OriginOf(endpoint), HostOf(endpoint), endpoint.AbsolutePath.TrimEnd('/') + "/" + bucket);
        var service = $"{(session.IsFips ? "s3-fips" : "s3")}.{(session.IsDualStack ? "dualstack." : "")}{session.Region}.{Amazon.RegionEndpoint.GetBySystemName(session.Region).PartitionDnsSuffix}";
        // The certificate's wildcard covers one label, so a bucket with dots is addressed by path.
        return bucket.Contains('.', StringComparison.Ordinal)
            ? ($"https://{service}", service, "/" + bucket)
            : ($"https://{bucket}.{service}", $"{bucket}.{service}", "");
    }

    internal static SocketsHttpHandler CreateHandler(StoreOptions options)
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
            ActivityHeadersPropagator = null,
            ConnectTimeout = options.ConnectTimeout,
            // DNS spreads S3 over many addresses and takes them away again.
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(20),
            MaxConnectionsPerServer = options.MaxConcurrency,
        };
        CertificatePin.Apply(handler, options.TrustedCertificate);
        return handler;
    }

    private async Task<Answer> SendOnceAsync(S3Request request, ImmutableCredentials keys, Way way, CancellationToken cancellationToken)
    {
        await _gate.EnterAsync(cancellationToken);
        long? moved = null;
        using var watch = new StallWatch(_options.StallTimeout, cancellationToken);
        try
        {
            using var message = CreateMessage(request, keys, way, watch);
            var response = await _invoker.SendAsync(message, watch.Token);
            try
            {
                var isError = (int)response.StatusCode is < 200 or > 299;
                if (!isError && request.Streams)
                {
                    moved = 0;
                    return new(new(response, []));
                }

                watch.Moved();
                if (request.Method != HttpMethod.Head)
                    await response.Content.LoadIntoBufferAsync(LongestDocument, watch.Token);
                var body = request.Method == HttpMethod.Head ? [] : await response.Content.ReadAsByteArrayAsync(watch.Token);
                var error = isError
                    ? S3Error.Parse(response.StatusCode, System.Text.Encoding.UTF8.GetString(body), response.Headers.TryGetValues("x-amz-bucket-region", out var regions) ? regions.First() : null)
                    : S3Error.InSuccess(response.StatusCode, body);
                if (error is null)
                {
                    moved = (request.Part?.Length ?? 0) + body.Length;
                    return new(new(response, body));
                }

                var answer = new Answer(null, error, response.Headers.Date, RetryAfter(response.Headers), response.StatusCode == HttpStatusCode.TemporaryRedirect ? LocationOf(response.Headers) : null);
                response.Dispose();
                return answer;
            }
            catch
            {
                response.Dispose();
                throw;
            }
        }
        catch (OperationCanceledException stall) when (watch.Stalled)
        {
            throw new TimeoutException($"no byte moved for {_options.StallTimeout.TotalSeconds:0.#} seconds", stall);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // SocketsHttpHandler says by a cancellation that its ConnectTimeout is over; nobody cancelled anything.
            throw new HttpRequestException(HttpRequestError.ConnectionError, $"no connection within {_options.ConnectTimeout.TotalSeconds:0.#} seconds");
        }
        finally
        {
            _gate.Leave(moved);
        }
    }

    /// <summary>How long the store asks to be left alone, as far as one object is worth waiting for.</summary>
    private static TimeSpan? RetryAfter(HttpResponseHeaders headers)
    {
        var wait = headers.RetryAfter?.Delta ?? headers.RetryAfter?.Date - headers.Date;
        return wait < TimeSpan.Zero ? TimeSpan.Zero : wait > LongestDelay ? LongestDelay : wait;
    }

    /// <summary>Where a temporary redirect leads to: as it was written, and never from TLS to plain HTTP.</summary>
    private Uri? LocationOf(HttpResponseHeaders headers) =>
        headers.TryGetValues("Location", out var values)
        && Uri.TryCreate(values.First(), new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }, out var location)
        && (location.Scheme == Uri.UriSchemeHttps || (location.Scheme == Uri.UriSchemeHttp && !IsTls))
            ? location
            : null;

    private HttpRequestMessage CreateMessage(S3Request request, ImmutableCredentials keys, Way way, StallWatch watch)
    {
        var (origin, host) = way.Location is { } location ? (OriginOf(location), HostOf(location)) : (_origin, _host);
        var path = way.Location is not null ? way.Location.AbsolutePath : request.Key is null ? _pathPrefix.Length == 0 ? "/" : _pathPrefix : $"{_pathPrefix}/{S3Encoding.Path(request.Key)}";
        var query = S3Encoding.Query(request.Query);
        // Keys such as "a/../b" and "a//b" are legal: the path must go out as it is.
        var uri = new Uri(origin + path + (query.Length == 0 ? "" : "?" + query), new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
        var message = new HttpRequestMessage(request.Method, uri) { Version = HttpVersion.Version11 };

        var headers = new List<(string Name, string Value)>(request.Headers.Count + 5) { ("host", host) };
        headers.AddRange(request.Headers);
        // A bucket that is made here is one's own; one that somebody else made first under that name must not be written to.
        if ((_options.ExpectedBucketOwner ?? (_options.CreateBucket ? keys.AccountId : null)) is { Length: > 0 } owner)
            headers.Add(("x-amz-expected-bucket-owner", owner));
        var now = _options.Time.GetUtcNow().AddTicks(Interlocked.Read(ref _skewTicks));
        var authorization = _signer.Sign(request.Method.Method, path, request.Query, headers, PayloadHash(request), keys, now);

        if (request.Part is { } part)
        {
            message.Content = new PartContent(part, watch, _bandwidth, CountSent);
            if (way.AsksFirst)
                message.Headers.ExpectContinue = true;
        }
        else if (request.Body is { } body)
            message.Content = new ByteArrayContent(body);
        else if (request.Method == HttpMethod.Put || request.Method == HttpMethod.Post)
            message.Content = new ByteArrayContent([]);

        foreach (var (name, value) in headers)
        {
            // Untouched: what is sent has to be what was signed.
            if (name is "content-type" or "content-md5")
                message.Content!.Headers.TryAddWithoutValidation(name, value);
            else
                message.Headers.TryAddWithoutValidation(name, value);
        }

        message.Headers.TryAddWithoutValidation("Authorization", authorization);
        if (request.AnswerTimeout is { } timeout)
            watch.Extend(timeout);
        return message;
    }

    private void CountSent(int bytes) => Interlocked.Add(ref _bytesSent, bytes);

    private string PayloadHash(S3Request request)
    {
        if (request.Part is null && request.Body is not { Length: > 0 })
            return SigV4Signer.EmptyPayload;
        if (request.Body is { } body)
            return Convert.ToHexStringLower(SHA256.HashData(body));
        return IsTls && !request.SignPayload
            ? SigV4Signer.UnsignedPayload
            : request.PayloadSha256 ??= Convert.ToHexStringLower(request.Part!.Hash(HashAlgorithmName.SHA256));
    }

    private bool ClockIsWrong(S3Error error, DateTimeOffset? serverTime)
    {
        if (serverTime is not { } time)
            return false;
        var skew = time - _options.Time.GetUtcNow();
        if (error.Code is not ("RequestTimeTooSkewed" or "RequestExpired") && !(error.Status == HttpStatusCode.Forbidden && skew.Duration() > SkewWorthCorrecting))
            return false;
        Interlocked.Exchange(ref _skewTicks, skew.Ticks);
        _logger?.LogWarning("This machine's clock is {Skew} off the store's: requests are signed with the store's time.", skew.Duration());
        return true;
    }

    private BackupException NoAnswer(S3Request request, Exception exception)
    {
        // Where nothing listens, or the name is not known, the sentence names the endpoint and not one of a thousand objects.
        var unreachable = exception is HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError or HttpRequestError.ProxyTunnelError };
        var cause = (exception is TimeoutException ? exception : exception.InnerException ?? exception).Message.TrimEnd('.');
        return exception is TimeoutException
            ? new(FailureKind.TimedOut, $"'{NameOf(request.Key)}' got no answer: {cause}.", "Check the network, then run again: what is stored stays stored.", exception)
            : unreachable
            ? new(FailureKind.Unavailable, $"The store at {_origin} cannot be reached: {cause}.", cause.Contains("frame", StringComparison.Ordinal) ? "That endpoint does not speak TLS: try http:// instead of https://." : exception.InnerException is AuthenticationException ? "The system has to trust the certificate of that endpoint: install its authority, or check -EndpointUrl." : "Check -EndpointUrl, -Region, the network and its proxy.", exception)
            : new(FailureKind.Unavailable, $"The connection broke while '{NameOf(request.Key)}' was under way: {cause}.", "Check the network, then run again: what is stored stays stored.", exception);
    }

    /// <summary>How a request goes out.</summary>
    /// <param name="Location">Where a redirect leads to, or null.</param>
    /// <param name="AsksFirst">Whether the store is asked (Expect: 100-continue) before object data is sent.</param>
    private sealed record Way(Uri? Location, bool AsksFirst);

    private readonly record struct Answer(S3Response? Response, S3Error? Error = null, DateTimeOffset? ServerTime = null, TimeSpan? RetryAfter = null, Uri? Location = null);
}
