using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace Backup.Engine.Tests.Http;

/// <summary>A loopback server that plays what a test gives it: one step a request, the last one again for all that follow.</summary>
internal sealed class HttpPeer : IAsyncDisposable
{
    private readonly WebApplication _application;
    private readonly ConcurrentQueue<Received> _requests = new();
    private int _next;

    private HttpPeer(WebApplication application) => _application = application;

    public Uri Address { get; private set; } = null!;

    public IReadOnlyList<Received> Requests => [.. _requests];

    public static async Task<HttpPeer> StartAsync(params Func<HttpContext, Task>[] steps) => await StartAsync(null, steps);

    public static async Task<HttpPeer> StartAsync(X509Certificate2? certificate, params Func<HttpContext, Task>[] steps)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen =>
        {
            if (certificate is not null)
                listen.UseHttps(certificate);
        }));
        var application = builder.Build();
        var peer = new HttpPeer(application);
        application.Run(async context =>
        {
            using var reader = new StreamReader(context.Request.Body);
            peer._requests.Enqueue(new(context.Request.Method, context.Request.Path + context.Request.QueryString, context.Request.Headers.Authorization.ToString(), context.Request.Headers.UserAgent.ToString(), await reader.ReadToEndAsync()));
            await steps[Math.Min(Interlocked.Increment(ref peer._next) - 1, steps.Length - 1)](context);
        });
        await application.StartAsync();
        peer.Address = new(application.Urls.First());
        return peer;
    }

    /// <summary>Answers with a status, a body and headers.</summary>
    public static Func<HttpContext, Task> Answer(int status, string body = "", params (string Name, string Value)[] headers) => async context =>
    {
        context.Response.StatusCode = status;
        foreach (var (name, value) in headers)
            context.Response.Headers[name] = value;
        await context.Response.WriteAsync(body);
    };

    /// <summary>Begins an answer of 100 bytes and breaks the connection after three.</summary>
    public static async Task CutAsync(HttpContext context)
    {
        context.Response.ContentLength = 100;
        await context.Response.WriteAsync("abc");
        await context.Response.Body.FlushAsync();
        context.Abort();
    }

    /// <summary>Breaks the connection without an answer.</summary>
    public static Task ResetAsync(HttpContext context)
    {
        context.Abort();
        return Task.CompletedTask;
    }

    /// <summary>Never answers.</summary>
    public static Task HangAsync(HttpContext context) => Task.Delay(Timeout.Infinite, context.RequestAborted);

    public async ValueTask DisposeAsync() => await _application.DisposeAsync();

    internal sealed record Received(string Method, string Target, string Authorization, string UserAgent, string Body);
}
