using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Backup.TestServers.Atlassian.Exports;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Backup.TestServers.Atlassian;

/// <summary>What was asked.</summary>
/// <param name="Server"><c>site</c> or <c>media</c>.</param>
/// <param name="Method">The method.</param>
/// <param name="Target">Path and query.</param>
/// <param name="HasAuthorization">Whether credentials came along.</param>
/// <param name="Range">The Range header.</param>
/// <param name="IfRange">The If-Range header.</param>
/// <param name="Body">The body.</param>
/// <param name="Status">The answer's status.</param>
public sealed record AtlassianRequest(string Server, string Method, string Target, bool HasAuthorization, string Range, string IfRange, string Body, int Status);

/// <summary>
/// A site of Atlassian Cloud on the loopback address, with Confluence and Jira, and the media server that downloads lead to. Each answer's shape is from the
/// reference's sections 1.1 (Confluence), 1.2 (Jira) and 1.4 (downloads), quirks included.
/// </summary>
public sealed class AtlassianServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<AtlassianRequest> _requests = new();
    private readonly ConcurrentQueue<(int Status, string ContentType, string Text)> _progressAnswers = new();
    private readonly ConcurrentQueue<DownloadFault> _faults = new();
    private readonly ConfluenceSite _confluence;
    private readonly JiraSite _jira;
    private readonly MediaServer _media;

    private AtlassianServer(AtlassianOptions options)
    {
        Options = options;
        _media = new(this);
        _confluence = new(this);
        _jira = new(this);
        _app = Build();
    }

    /// <summary>The site's address.</summary>
    public Uri Address { get; private set; } = null!;

    /// <summary>How it is set up; may be changed while it runs.</summary>
    public AtlassianOptions Options { get; set; }

    /// <summary>Confluence's newest export, or null.</summary>
    public AtlassianExport? Confluence { get; set; }

    /// <summary>Jira's newest export, or null.</summary>
    public AtlassianExport? Jira { get; set; }

    /// <summary>A byte of the content, by its offset, that is sent with its lowest bit flipped; or null.</summary>
    public long? FlippedByte { get; set; }

    /// <summary>Sent instead of a generated export, or null.</summary>
    public byte[]? Content { get; set; }

    /// <summary>Receives each request when it was answered, or null.</summary>
    public Action<AtlassianRequest>? Answered { get; set; }

    /// <summary>Every request, in the order of the answers.</summary>
    public IReadOnlyList<AtlassianRequest> Requests => [.. _requests];

    internal Uri MediaAddress { get; private set; } = null!;

    /// <summary>Starts a site.</summary>
    public static async Task<AtlassianServer> StartAsync(AtlassianOptions? options = null)
    {
        var server = new AtlassianServer(options ?? new());
        await server._app.StartAsync();
        var addresses = server._app.Urls.Select(url => new Uri(url)).ToList();
        (server.Address, server.MediaAddress) = (addresses[0], addresses[1]);
        return server;
    }

    /// <summary>Puts an export there that was made a while ago.</summary>
    public AtlassianExport AddExport(ExportProduct product, TimeSpan age)
    {
        var export = NewExport(DateTimeOffset.UtcNow - age, polls: 0);
        if (product == ExportProduct.Jira)
            Jira = export;
        else
            Confluence = export;
        return export;
    }

    /// <summary>Lets the next download requests go wrong, one after the other.</summary>
    public void AddFaults(params DownloadFault[] faults) => Array.ForEach(faults, _faults.Enqueue);

    /// <summary>Gives these to the next questions about progress instead of the truth.</summary>
    public void AddProgressAnswers(params (int Status, string ContentType, string Text)[] answers) => Array.ForEach(answers, _progressAnswers.Enqueue);

    /// <summary>The content of each export.</summary>
    public GeneratedExport Generate(ExportProduct product) => new(new() { Product = product, Size = Options.ExportSize, Seed = Options.Seed });

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));
        await _app.StopAsync(now.Token);
        await _app.DisposeAsync();
    }

    internal AtlassianExport NewExport(DateTimeOffset time, int polls) => new()
    {
        TaskId = Random.Shared.Next(10_000, 99_999),
        Time = DateTimeOffset.FromUnixTimeMilliseconds(time.ToUnixTimeMilliseconds()),
        Polls = polls,
        PollsLeft = polls,
        ReadyAt = time + Options.ExportTime,
    };

    internal DownloadFault NextFault() => _faults.TryDequeue(out var fault) ? fault : new();

    internal async Task<bool> AnswersProgressAsync(HttpContext context)
    {
        if (!_progressAnswers.TryDequeue(out var answer))
            return false;
        await WriteAsync(context, answer.Status, answer.ContentType, answer.Text);
        return true;
    }

    /// <summary>Whether an export may be asked for; else how long not.</summary>
    internal TimeSpan? Wait(AtlassianExport? last) =>
        last is not null && last.Time + Options.Cooldown - DateTimeOffset.UtcNow is var left && left > TimeSpan.Zero ? left : null;

    internal static async Task WriteAsync(HttpContext context, int status, string contentType, string text)
    {
        context.Response.StatusCode = status;
        if (text.Length == 0)
            return;
        context.Response.ContentType = contentType;
        await context.Response.WriteAsync(text);
    }

    /// <summary>Whether the request may go on; 401 otherwise.</summary>
    internal bool IsUser(HttpContext context) =>
        context.Request.Headers.Authorization.ToString() == "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{Options.User}:{Options.Token}"));

    private WebApplication Build()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, Options.Port, listen => listen.Protocols = HttpProtocols.Http1);
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1);
            // A paced download must not be taken for a slow client.
            kestrel.Limits.MinResponseDataRate = null;
        });
        var app = builder.Build();
        app.Run(HandleAsync);
        return app;
    }

    private async Task HandleAsync(HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body);
        var body = await reader.ReadToEndAsync();
        var isMedia = context.Connection.LocalPort == MediaAddress.Port;
        try
        {
            if (isMedia)
                await _media.HandleAsync(context);
            else
                await HandleSiteAsync(context, body);
        }
        catch (OperationCanceledException)
        {
            // The client has gone, or the answer was cut on purpose.
        }
        finally
        {
            var headers = context.Request.Headers;
            var request = new AtlassianRequest(isMedia ? "media" : "site", context.Request.Method, context.Request.Path + context.Request.QueryString, headers.Authorization.Count > 0, headers.Range.ToString(), headers.IfRange.ToString(), body, context.Response.StatusCode);
            _requests.Enqueue(request);
            Answered?.Invoke(request);
        }
    }

    private async Task HandleSiteAsync(HttpContext context, string body)
    {
        var path = context.Request.Path.Value ?? "";
        if (!IsUser(context))
        {
            if (Options.AllowsAnonymous && path == "/wiki/rest/api/user/current")
                await WriteAsync(context, 200, "application/json", """{"type":"anonymous","displayName":"Anonymous"}""");
            else
                await WriteAsync(context, 401, "text/plain", "Client must be authenticated to access this resource.");
        }
        else if (path.StartsWith("/wiki/", StringComparison.Ordinal))
        {
            await _confluence.HandleAsync(context, path, body);
        }
        else
        {
            await _jira.HandleAsync(context, path, body);
        }
    }

    /// <summary>Sends a download, or leads to it.</summary>
    internal async Task DownloadAsync(HttpContext context, ExportProduct product, AtlassianExport? export, Guid id)
    {
        if (export is null || export.Id != id || !export.IsReady)
        {
            await WriteAsync(context, 404, "text/html", "<html><title>Page not found</title></html>");
            return;
        }

        var fault = NextFault();
        if (fault.SiteStatus is { } status)
            await WriteAsync(context, status, "text/html", $"<html><title>Error {status}</title></html>");
        else if (fault.LoginPageAs is { } type)
            await WriteAsync(context, 200, type, "<!DOCTYPE html>\n<html><head><title>Log in with Atlassian account</title></head><body>Log in</body></html>");
        else if (Options.RedirectsDownloads)
            context.Response.Redirect(_media.Sign(product, id, fault).AbsoluteUri);
        else
            await _media.SendAsync(context, product, id, fault);
    }
}
