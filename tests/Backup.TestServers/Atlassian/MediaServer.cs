using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Http.Headers;
using Backup.TestServers.Atlassian.Exports;

namespace Backup.TestServers.Atlassian;

/// <summary>Where downloads lead to: addresses that were signed a moment ago, ranges, and no patience with credentials (reference 1.4, pitfall 10).</summary>
internal sealed class MediaServer(AtlassianServer server)
{
    private const int Block = 256 << 10;

    private readonly ConcurrentDictionary<string, (ExportProduct Product, Guid Id, DownloadFault Fault)> _signed = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<(ExportProduct, long, int), Lazy<GeneratedExport>> _exports = new();

    /// <summary>A fresh address.</summary>
    public Uri Sign(ExportProduct product, Guid id, DownloadFault fault)
    {
        var token = Guid.NewGuid().ToString("N");
        _signed[token] = (product, id, fault);
        return new(server.MediaAddress, $"/file/{id}/binary?client=backup&token={token}");
    }

    public async Task HandleAsync(HttpContext context)
    {
        if (context.Request.Headers.Authorization.Count > 0)
        {
            await AtlassianServer.WriteAsync(context, 400, "application/json", """{"error":{"title":"Only one auth mechanism allowed"}}""");
            return;
        }

        if (!_signed.TryGetValue(context.Request.Query["token"].ToString(), out var signed) || signed.Fault.Expired)
            await AtlassianServer.WriteAsync(context, 403, "application/json", """{"error":{"code":"JWT_AUTH_ERROR","title":"Token expired"}}""");
        else if (signed.Fault.MediaStatus is { } status)
            await AtlassianServer.WriteAsync(context, status, "application/json", """{"error":{"title":"Something went wrong"}}""");
        else
            await SendAsync(context, signed.Product, signed.Id, signed.Fault);
    }

    public async Task SendAsync(HttpContext context, ExportProduct product, Guid id, DownloadFault fault)
    {
        var options = server.Options;
        var export = server.Content is null ? _exports.GetOrAdd((product, options.ExportSize, options.Seed), _ => new(() => server.Generate(product))).Value : null;
        var length = server.Content?.Length ?? export!.Length;
        var tag = $"\"{fault.ETag ?? id.ToString("N")}\"";
        var (from, status) = Range(context.Request, length, tag, fault);
        var response = context.Response;
        if (options.HasETag)
            response.Headers.ETag = tag;
        response.StatusCode = status;
        if (status == 416)
        {
            if (fault.TellsLength)
                response.Headers.ContentRange = $"bytes */{length}";
            return;
        }

        response.ContentType = "application/zip";
        response.Headers.AcceptRanges = "bytes";
        if (status == 206)
            response.Headers.ContentRange = $"bytes {from}-{length - 1}/{length + fault.LengthDelta}";
        if (options.HasLength)
            response.ContentLength = length - from + fault.LengthDelta;
        await SendAsync(context, export, from, length + Math.Min(0, fault.LengthDelta), fault);
        if (fault.LengthDelta > 0)
            context.Abort();
    }

    private static (long From, int Status) Range(HttpRequest request, long length, string tag, DownloadFault fault)
    {
        if (!RangeHeaderValue.TryParse(request.Headers.Range, out var range) || range.Ranges.Single().From is not { } from || fault.IgnoresRange)
            return (0, 200);
        if (from >= length || fault.NotSatisfiable)
            return (0, 416);
        // If-Range with another tag: the whole, and not a range of another file (RFC 9110, 13.1.5).
        return request.Headers.IfRange.ToString() is { Length: > 0 } condition && condition != tag ? (0, 200) : (from, 206);
    }

    private async Task SendAsync(HttpContext context, GeneratedExport? export, long from, long to, DownloadFault fault)
    {
        var clock = Stopwatch.StartNew();
        var buffer = new byte[Block];
        var aborted = context.RequestAborted;
        var sent = 0L;
        for (var offset = from; offset < to;)
        {
            var count = (int)Math.Min(Block, Math.Min(to - offset, (fault.CutAfter ?? fault.HangAfter ?? long.MaxValue) - sent));
            if (count == 0)
            {
                await context.Response.Body.FlushAsync(aborted);
                if (fault.HangAfter is not null)
                    await Task.Delay(Timeout.Infinite, aborted);
                context.Abort();
                return;
            }

            if (export is null)
                server.Content.AsSpan((int)offset, count).CopyTo(buffer);
            else
                export.Read(offset, buffer.AsSpan(0, count));
            if (server.FlippedByte is { } flipped && flipped >= offset && flipped < offset + count)
                buffer[flipped - offset] ^= 1;
            await context.Response.Body.WriteAsync(buffer.AsMemory(0, count), aborted);
            offset += count;
            sent += count;
            if (server.Options.Pace is { } pace && TimeSpan.FromSeconds((double)sent / pace) - clock.Elapsed is var ahead && ahead > TimeSpan.FromMilliseconds(2))
                await Task.Delay(ahead, aborted);
        }
    }
}
