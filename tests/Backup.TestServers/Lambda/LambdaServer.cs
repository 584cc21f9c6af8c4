using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Backup.TestServers.Lambda;

/// <summary>
/// The Lambda runtime API, version 2018-06-01, on the loopback address: hands events out one after the other, and takes the answers.
/// Paths, headers, statuses and error shapes: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html, as of 2026-11.
/// </summary>
public sealed class LambdaServer : IAsyncDisposable
{
    private const string Version = "/2018-06-01/runtime/";

    private readonly WebApplication _app;
    private readonly Channel<LambdaInvocation> _waiting = Channel.CreateUnbounded<LambdaInvocation>();
    private readonly ConcurrentDictionary<string, LambdaInvocation> _invocations = new(StringComparer.Ordinal);
    private readonly TaskCompletionSource<LambdaAnswer> _startError = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _stopping = new();

    private LambdaServer(int port)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            // An answer may have 6 MB; what is larger is refused with 413.
            kestrel.Limits.MaxRequestBodySize = 6 << 20;
            kestrel.Listen(IPAddress.Loopback, port, listen => listen.Protocols = HttpProtocols.Http1);
        });
        _app = builder.Build();
        _app.Run(HandleAsync);
    }

    /// <summary>Host and port, as AWS_LAMBDA_RUNTIME_API has them.</summary>
    public string Authority => new Uri(_app.Urls.Single()).Authority;

    /// <summary>What the function said when it could not start.</summary>
    public Task<LambdaAnswer> StartError => _startError.Task;

    /// <summary>Answers to nothing that was asked, in a word each.</summary>
    public ConcurrentQueue<string> Mistakes { get; } = new();

    public static async Task<LambdaServer> StartAsync(int port = 0)
    {
        var server = new LambdaServer(port);
        await server._app.StartAsync();
        return server;
    }

    /// <summary>Gives an event to the function as soon as it asks for one, and waits for its answer.</summary>
    public async Task<LambdaAnswer> InvokeAsync(string body, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var invocation = new LambdaInvocation(body, timeout);
        _invocations[invocation.RequestId] = invocation;
        await _waiting.Writer.WriteAsync(invocation, cancellationToken);
        return await invocation.Answer.Task.WaitAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        await _app.StopAsync(patience.Token);
        await _app.DisposeAsync();
        _stopping.Dispose();
    }

    private async Task HandleAsync(HttpContext context)
    {
        var path = context.Request.Path.Value ?? "";
        if (!path.StartsWith(Version, StringComparison.Ordinal))
        {
            context.Response.StatusCode = 404;
            return;
        }

        switch (context.Request.Method, path[Version.Length..].Split('/'))
        {
            case ("GET", ["invocation", "next"]):
                await NextAsync(context);
                break;
            case ("POST", ["invocation", var id, "response" or "error"]):
                await AnswerAsync(context, id, path.EndsWith("/error", StringComparison.Ordinal));
                break;
            case ("POST", ["init", "error"]):
                _startError.TrySetResult(new("", true, await ReadAsync(context), ErrorType(context), TimeSpan.Zero));
                await AcceptAsync(context);
                break;
            default:
                await RefuseAsync(context, 404, "NotFound", path);
                break;
        }
    }

    private async Task NextAsync(HttpContext context)
    {
        using var gone = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, _stopping.Token);
        LambdaInvocation invocation;
        try
        {
            invocation = await _waiting.Reader.ReadAsync(gone.Token);
        }
        catch (OperationCanceledException)
        {
            context.Abort();
            return;
        }

        invocation.Started = DateTimeOffset.UtcNow;
        var headers = context.Response.Headers;
        headers["Lambda-Runtime-Aws-Request-Id"] = invocation.RequestId;
        headers["Lambda-Runtime-Deadline-Ms"] = $"{(invocation.Started.Value + invocation.Timeout).ToUnixTimeMilliseconds()}";
        headers["Lambda-Runtime-Invoked-Function-Arn"] = "arn:aws:lambda:us-east-2:123456789012:function:custom-runtime";
        headers["Lambda-Runtime-Trace-Id"] = "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=1";
        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync(invocation.Body);
    }

    private async Task AnswerAsync(HttpContext context, string id, bool isError)
    {
        var body = await ReadAsync(context);
        if (!_invocations.TryGetValue(id, out var invocation) || invocation.Started is not { } started)
        {
            await RefuseAsync(context, 400, "InvalidRequestID", id);
            return;
        }

        if (isError && body is not JsonObject)
        {
            await RefuseAsync(context, 400, "InvalidErrorShape", id);
            return;
        }

        if (!invocation.Answer.TrySetResult(new(id, isError, body, ErrorType(context), DateTimeOffset.UtcNow - started)))
        {
            await RefuseAsync(context, 403, "InvalidStateTransition", id);
            return;
        }

        await AcceptAsync(context);
    }

    private static string? ErrorType(HttpContext context) => context.Request.Headers["Lambda-Runtime-Function-Error-Type"].FirstOrDefault();

    private static async Task<JsonNode?> ReadAsync(HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body);
        var text = await reader.ReadToEndAsync(context.RequestAborted);
        try
        {
            return JsonNode.Parse(text);
        }
        catch (JsonException)
        {
            return text;
        }
    }

    private static Task AcceptAsync(HttpContext context)
    {
        context.Response.StatusCode = 202;
        return context.Response.WriteAsJsonAsync(new JsonObject { ["status"] = "OK" });
    }

    private Task RefuseAsync(HttpContext context, int status, string type, string what)
    {
        Mistakes.Enqueue($"{type} {what}");
        context.Response.StatusCode = status;
        return context.Response.WriteAsJsonAsync(new JsonObject { ["errorType"] = type, ["errorMessage"] = what });
    }
}
