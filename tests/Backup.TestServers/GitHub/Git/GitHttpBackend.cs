using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Backup.TestServers.GitHub.Git;

/// <summary>Smart HTTP by git's own program: <c>git http-backend</c> as CGI (git-http-backend(1), RFC 3875).</summary>
internal sealed class GitHttpBackend(GitHubServices services)
{
    private static readonly string[] Hooks = ["/info/refs", "/git-upload-pack", "/git-receive-pack"];

    /// <summary>Answers a request below <c>/{owner}/{name}.git</c>.</summary>
    public async Task HandleAsync(HttpContext context, GitHubRepository repository, string path, string tail)
    {
        if (!Hooks.Contains(tail, StringComparer.Ordinal))
        {
            context.Response.StatusCode = 404;
            return;
        }

        var service = tail == "/info/refs" ? context.Request.Query["service"].ToString() : tail[1..];
        var key = path + context.Request.Headers["Git-Protocol"];
        var keep = services.Options.CacheAdvertisements && tail == "/info/refs" && service == "git-upload-pack";
        if (keep && repository.Advertisements.TryGetValue(key, out var kept) && kept.PushedAt == repository.PushedAt)
        {
            context.Response.ContentType = "application/x-git-upload-pack-advertisement";
            await context.Response.Body.WriteAsync(kept.Body, context.RequestAborted);
            return;
        }

        var pushedAt = repository.PushedAt;
        using var process = Start(context, path, tail);
        using var killed = context.RequestAborted.Register(static state => Kill((Process)state!), process);
        var sending = SendBodyAsync(context, process);
        var output = process.StandardOutput.BaseStream;
        await ReadHeadersAsync(context.Response, output, context.RequestAborted);
        if (keep)
        {
            var body = new MemoryStream();
            await output.CopyToAsync(body, context.RequestAborted);
            repository.Advertisements[key] = (pushedAt, body.ToArray());
            await context.Response.Body.WriteAsync(body.ToArray(), context.RequestAborted);
        }
        else
        {
            await output.CopyToAsync(context.Response.Body, context.RequestAborted);
        }

        await sending;
        await process.WaitForExitAsync(context.RequestAborted);
        if (service == "git-receive-pack" && tail != "/info/refs")
            repository.Touch();
    }

    private Process Start(HttpContext context, string path, string tail)
    {
        var request = context.Request;
        var start = new ProcessStartInfo("git")
        {
            ArgumentList = { "http-backend" },
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        start.Environment.Clear();
        start.Environment["PATH"] = Environment.GetEnvironmentVariable("PATH");
        start.Environment["GIT_CONFIG_NOSYSTEM"] = "1";
        start.Environment["GIT_CONFIG_GLOBAL"] = OperatingSystem.IsWindows() ? "NUL" : "/dev/null";
        start.Environment["HOME"] = services.Directory;
        start.Environment["GIT_PROJECT_ROOT"] = Path.GetDirectoryName(path);
        start.Environment["GIT_HTTP_EXPORT_ALL"] = "1";
        start.Environment["PATH_INFO"] = "/" + Path.GetFileName(path) + tail;
        start.Environment["QUERY_STRING"] = request.QueryString.Value?.TrimStart('?') ?? "";
        start.Environment["REQUEST_METHOD"] = request.Method;
        start.Environment["CONTENT_TYPE"] = request.ContentType ?? "";
        if (request.ContentLength is { } length)
            start.Environment["CONTENT_LENGTH"] = length.ToString(CultureInfo.InvariantCulture);
        if (request.Headers.ContentEncoding.ToString() is { Length: > 0 } encoding)
            start.Environment["HTTP_CONTENT_ENCODING"] = encoding;
        if (request.Headers["Git-Protocol"].ToString() is { Length: > 0 } protocol)
            start.Environment["GIT_PROTOCOL"] = protocol;
        start.Environment["REMOTE_ADDR"] = "127.0.0.1";
        start.Environment["REMOTE_USER"] = "token";
        return Process.Start(start) ?? throw new InvalidOperationException("git did not start.");
    }

    private static async Task SendBodyAsync(HttpContext context, Process process)
    {
        try
        {
            await using var input = process.StandardInput.BaseStream;
            await context.Request.Body.CopyToAsync(input, context.RequestAborted);
        }
        catch (Exception exception) when (exception is IOException or OperationCanceledException)
        {
            // git has read enough, or the client has left.
        }
    }

    private static async Task ReadHeadersAsync(HttpResponse response, Stream output, CancellationToken cancellationToken)
    {
        var line = new StringBuilder();
        var one = new byte[1];
        while (await output.ReadAsync(one, cancellationToken) == 1)
        {
            if (one[0] != '\n')
            {
                if (one[0] != '\r')
                    line.Append((char)one[0]);
                continue;
            }

            if (line.Length == 0)
                return;
            var text = line.ToString();
            line.Clear();
            var colon = text.IndexOf(':', StringComparison.Ordinal);
            var (name, value) = (text[..colon], text[(colon + 1)..].Trim());
            if (name.Equals("Status", StringComparison.OrdinalIgnoreCase))
                response.StatusCode = int.Parse(value.AsSpan(0, 3), CultureInfo.InvariantCulture);
            else
                response.Headers[name] = value;
        }
    }

    private static void Kill(Process process)
    {
        try
        {
            process.Kill(entireProcessTree: true);
        }
        catch (InvalidOperationException)
        {
            // It has ended.
        }
    }
}
