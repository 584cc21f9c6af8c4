using System.Globalization;
using System.Text.Json;
using Backup.TestServers.Atlassian.Exports;

namespace Backup.TestServers.Atlassian;

/// <summary>Confluence: <c>/wiki/rest/obm/1.0</c> (reference 1.1).</summary>
internal sealed class ConfluenceSite(AtlassianServer server)
{
    public async Task HandleAsync(HttpContext context, string path, string body)
    {
        var options = server.Options;
        if (!options.HasConfluence)
            await AtlassianServer.WriteAsync(context, 404, "text/html", "<html><title>Oops, you've found a dead link.</title></html>");
        else if (path == "/wiki/rest/api/user/current")
            await AtlassianServer.WriteAsync(context, 200, "application/json", JsonSerializer.Serialize(new { type = "known", accountId = "5b10a2844c20165700ede21g", email = options.User }));
        else if (!options.IsAdministrator)
            await AtlassianServer.WriteAsync(context, 403, "application/json", """{"statusCode":403,"message":"Only administrators can perform this operation"}""");
        else if (path == "/wiki/rest/obm/1.0/runbackup" && context.Request.Method == "POST")
            await StartAsync(context, body);
        else if (path is "/wiki/rest/obm/1.0/getprogress" or "/wiki/rest/obm/1.0/getprogress.json")
            await ProgressAsync(context);
        else if (path.StartsWith("/wiki/download/", StringComparison.Ordinal))
            await DownloadAsync(context, path["/wiki/download/".Length..]);
        else
            await AtlassianServer.WriteAsync(context, 404, "application/json", """{"statusCode":404,"message":"null for uri"}""");
    }

    private async Task StartAsync(HttpContext context, string body)
    {
        var options = server.Options;
        if (context.Request.Headers["X-Atlassian-Token"] != "no-check" || !body.Contains("cbAttachments", StringComparison.Ordinal))
        {
            await AtlassianServer.WriteAsync(context, 403, "text/plain", "XSRF check failed");
            return;
        }

        if (server.Wait(server.Confluence) is { } left)
        {
            if (options.CosmeticCooldown)
                server.Confluence = server.NewExport(DateTimeOffset.UtcNow, options.Polls);
            var (status, text) = options.CooldownAnswer ?? (406, "Backup frequency is limited. You can not make another backup right now. Approximate time till next allowed backup: {0}");
            await AtlassianServer.WriteAsync(context, status, "text/plain", string.Format(CultureInfo.InvariantCulture, text, $"{(int)left.TotalHours}h {left.Minutes}m"));
            return;
        }

        server.Confluence = server.NewExport(DateTimeOffset.UtcNow, options.Polls);
        // 200, and the body is empty.
        context.Response.StatusCode = 200;
    }

    private async Task ProgressAsync(HttpContext context)
    {
        if (await server.AnswersProgressAsync(context))
            return;
        if (server.Confluence is not { } export)
        {
            await AtlassianServer.WriteAsync(context, 200, "application/json", "{}");
            return;
        }

        if (!export.IsReady)
            export.PollsLeft--;
        var isXml = !context.Request.Headers.Accept.ToString().Contains("json", StringComparison.Ordinal);
        var percentage = string.Format(CultureInfo.InvariantCulture, server.Options.Percentage, export.Percent);
        // At 100 % the status may still speak of attachments (timo-jakob): only the file's name says that it is done.
        var status = export.IsReady ? "Archiving attachments." : "Exporting spaces";
        if (isXml)
        {
            await AtlassianServer.WriteAsync(context, 200, "application/xml", $"<backupresult alternativePercentage=\"{percentage}\" currentStatus=\"{status}\" size=\"0\" time=\"{export.Time.ToUnixTimeMilliseconds()}\" fileName=\"{(export.IsReady ? NameOf(export) : "")}\"/>");
            return;
        }

        var fields = new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            ["size"] = export.IsReady ? server.Options.ExportSize : 0,
            ["currentStatus"] = status,
            ["alternativePercentage"] = percentage,
            ["concurrentBackupInProgress"] = !export.IsReady && export.Failure is null,
            ["time"] = export.Time.ToUnixTimeMilliseconds(),
            ["isOutdated"] = false,
        };
        if (export.IsReady)
            fields["fileName"] = NameOf(export);
        if (export.Failure is { } failure)
            fields["failedMessage"] = failure;
        await AtlassianServer.WriteAsync(context, 200, "application/json", JsonSerializer.Serialize(fields));
    }

    private string NameOf(AtlassianExport export) => server.Options.FileName switch
    {
        FileNameShape.Bare => $"{export.Id}",
        FileNameShape.Legacy => $"ondemandbackupmanager/download/{export.Id}/Confluence-backup-20161121.zip",
        _ => $"temp/filestore/{export.Id}",
    };

    private async Task DownloadAsync(HttpContext context, string name)
    {
        // A bare uuid is not a path of its own: only below temp/filestore is it found.
        var expected = server.Options.FileName == FileNameShape.Legacy && server.Confluence is { } export ? NameOf(export) : $"temp/filestore/{server.Confluence?.Id}";
        await server.DownloadAsync(context, ExportProduct.Confluence, server.Confluence, name == expected ? server.Confluence!.Id : Guid.Empty);
    }
}
