using System.Collections.Concurrent;
using System.Net;
using Backup.TestServers.S3.Auth;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Backup.TestServers.Aws;

/// <summary>An AWS service on the loopback address: it verifies signatures, and answers what it is told to.</summary>
public sealed class AwsServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<AwsRequest> _requests = new();
    private readonly ConcurrentQueue<AwsAnswer> _faults = new();
    private readonly Func<AwsRequest, AwsAnswer> _answer;

    private AwsServer(Func<AwsRequest, AwsAnswer> answer, int port)
    {
        _answer = answer;
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Listen(IPAddress.Loopback, port, listen => listen.Protocols = HttpProtocols.Http1);
        });
        _app = builder.Build();
        _app.Run(HandleAsync);
        Credentials.Add("test", "testsecret");
    }

    public Uri Endpoint => new(_app.Urls.Single());

    /// <summary>Knows <c>test</c> with <c>testsecret</c> from the start.</summary>
    public CredentialStore Credentials { get; } = new();

    /// <summary>How far the server's clock is from the true time.</summary>
    public TimeSpan ClockOffset { get; set; }

    /// <summary>Every request whose signature was good or not needed, in order of arrival.</summary>
    public IReadOnlyList<AwsRequest> Requests => [.. _requests];

    /// <summary>Requests that need no signature, such as SSO's, which carry a token.</summary>
    public Func<AwsRequest, bool> IsUnsigned { get; init; } = _ => false;

    /// <summary>Called with each request and the status of its answer.</summary>
    public Action<AwsRequest, int>? Answered { get; init; }

    /// <summary>Whether <see cref="Requests"/> are remembered.</summary>
    public bool KeepLog { get; init; } = true;

    public static async Task<AwsServer> StartAsync(Func<AwsRequest, AwsAnswer> answer, int port = 0, Func<AwsRequest, bool>? isUnsigned = null, Action<AwsRequest, int>? answered = null, bool keepLog = true)
    {
        var server = new AwsServer(answer, port) { IsUnsigned = isUnsigned ?? (_ => false), Answered = answered, KeepLog = keepLog };
        await server._app.StartAsync();
        return server;
    }

    /// <summary>The next requests, one each, get these answers.</summary>
    public void Fail(params AwsAnswer[] answers)
    {
        foreach (var answer in answers)
            _faults.Enqueue(answer);
    }

    public async ValueTask DisposeAsync()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        await _app.StopAsync(patience.Token);
        await _app.DisposeAsync();
    }

    private async Task HandleAsync(HttpContext context)
    {
        using var buffer = new MemoryStream();
        await context.Request.Body.CopyToAsync(buffer);
        var target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget.Split('?', 2);
        var (path, query) = (target[0], target.ElementAtOrDefault(1) ?? "");
        var scope = AwsSignature.Scope(context.Request);
        var request = new AwsRequest
        {
            Method = context.Request.Method,
            RawPath = path,
            RawQuery = query,
            Headers = context.Request.Headers.ToDictionary(h => h.Key.ToLowerInvariant(), h => h.Value.ToString(), StringComparer.Ordinal),
            Body = buffer.ToArray(),
            AccessKey = scope?.AccessKey,
            Region = scope?.Region,
            Service = scope?.Service,
        };
        var answer = IsUnsigned(request) ? null : AwsSignature.Verify(context.Request, path, query, request.Body, Credentials, DateTime.UtcNow + ClockOffset);
        if (answer is null)
        {
            if (KeepLog)
                _requests.Enqueue(request);
            answer = _faults.TryDequeue(out var fault) ? fault : _answer(request);
        }

        await WriteAsync(context, answer);
        Answered?.Invoke(request, answer.Reset ? 0 : answer.Status);
    }

    private async Task WriteAsync(HttpContext context, AwsAnswer answer)
    {
        if (answer.Reset)
        {
            context.Abort();
            return;
        }

        context.Response.StatusCode = answer.Status;
        context.Response.ContentType = answer.ContentType;
        context.Response.ContentLength = answer.Body.Length;
        context.Response.Headers.Date = (DateTimeOffset.UtcNow + ClockOffset).ToString("r");
        context.Response.Headers["x-amzn-RequestId"] = "11111111-2222-3333-4444-555555555555";
        foreach (var (name, value) in answer.Headers)
            context.Response.Headers[name] = value;
        if (answer.CutAfter is not { } bytes)
        {
            await context.Response.Body.WriteAsync(answer.Body);
            return;
        }

        await context.Response.Body.WriteAsync(answer.Body.AsMemory(0, bytes));
        await context.Response.Body.FlushAsync();
        await answer.CutWhen;
        context.Abort();
    }
}
