using System.Globalization;
using System.Text.Json;
using Backup.TestServers.Atlassian.Exports;

namespace Backup.TestServers.Atlassian;

/// <summary>Jira: <c>/rest/backup/1/export</c> (reference 1.2).</summary>
internal sealed class JiraSite(AtlassianServer server)
{
    public async Task HandleAsync(HttpContext context, string path, string body)
    {
        var options = server.Options;
        if (!options.HasJira)
            await AtlassianServer.WriteAsync(context, 404, "text/html", "<html><title>Oops, you've found a dead link.</title></html>");
        else if (path == "/rest/api/3/myself")
            await AtlassianServer.WriteAsync(context, 200, "application/json", JsonSerializer.Serialize(new { accountId = "5b10a2844c20165700ede21g", emailAddress = options.User, active = true }));
        else if (options.JiraUiOnly && path.StartsWith("/rest/backup/", StringComparison.Ordinal))
            await AtlassianServer.WriteAsync(context, 403, "application/json", """{"error":"This feature is only accessible from the UI."}""");
        else if (!options.IsAdministrator)
            await AtlassianServer.WriteAsync(context, 403, "text/plain", "");
        else if (path == "/rest/backup/1/export/runbackup" && context.Request.Method == "POST")
            await StartAsync(context, body);
        else if (path == "/rest/backup/1/export/lastTaskId")
            await AtlassianServer.WriteAsync(context, server.Jira is null ? 204 : 200, "text/plain", server.Jira is { } last ? $"{last.TaskId}" : "");
        else if (path == "/rest/backup/1/export/getProgress")
            await ProgressAsync(context);
        else if (server.Jira is { } export && path == $"/rest/api/3/task/{export.TaskId}")
            await AtlassianServer.WriteAsync(context, 200, "application/json", JsonSerializer.Serialize(new { id = $"{export.TaskId}", status = "COMPLETE", submitted = export.Time.ToUnixTimeMilliseconds() }));
        else if (path is "/plugins/servlet/export/download/")
            await server.DownloadAsync(context, ExportProduct.Jira, server.Jira, Guid.TryParse(context.Request.Query["fileId"], out var id) ? id : Guid.Empty);
        else
            await AtlassianServer.WriteAsync(context, 404, "text/html", "<html><title>404</title></html>");
    }

    private async Task StartAsync(HttpContext context, string body)
    {
        // Strings, and nothing else: another key is refused.
        if (body is not """{"cbAttachments":"true","exportToCloud":"true"}""" and not """{"cbAttachments":"false","exportToCloud":"true"}""")
        {
            await AtlassianServer.WriteAsync(context, 400, "application/json", """{"error":"Invalid request payload"}""");
            return;
        }

        var isRunning = server.Jira is { IsReady: false, Failure: null };
        if (server.Wait(server.Jira) is { } left || isRunning)
        {
            left = server.Wait(server.Jira) ?? TimeSpan.FromHours(1);
            var (status, text) = server.Options.CooldownAnswer ?? (412, """{"error":"Backup frequency is limited. You cannot make another backup right now. Approximate time until next allowed backup: {0}"}""");
            await AtlassianServer.WriteAsync(context, status, "application/json", text.Replace("{0}", string.Create(CultureInfo.InvariantCulture, $"{(int)left.TotalHours}h {left.Minutes}m"), StringComparison.Ordinal));
            return;
        }

        server.Jira = server.NewExport(DateTimeOffset.UtcNow, server.Options.Polls);
        await AtlassianServer.WriteAsync(context, 200, "application/json", JsonSerializer.Serialize(new { taskId = $"{server.Jira.TaskId}" }));
    }

    private async Task ProgressAsync(HttpContext context)
    {
        if (await server.AnswersProgressAsync(context))
            return;
        if (server.Jira is not { } export || context.Request.Query["taskId"] != $"{export.TaskId}")
        {
            await AtlassianServer.WriteAsync(context, 404, "application/json", """{"error":"Task not found"}""");
            return;
        }

        if (!export.IsReady)
            export.PollsLeft--;
        var answer = export switch
        {
            { Failure: { } failure } => JsonSerializer.Serialize(new { status = "Failed", description = "Cloud Export task", message = failure, progress = export.Percent }),
            { IsReady: false } => JsonSerializer.Serialize(new { status = "InProgress", description = "Cloud Export task", message = "Preparing database for export (it may take up to 30 minutes)", progress = export.Percent }),
            _ => JsonSerializer.Serialize(new { status = "Success", description = "Cloud Export task", message = "Completed export https://api.media.atlassian.com/file/tenant/binary", result = ResultOf(export), progress = 100, exportType = "CLOUD" }),
        };
        await AtlassianServer.WriteAsync(context, 200, "application/json", answer);
    }

    private string ResultOf(AtlassianExport export) => server.Options.Result switch
    {
        ResultShape.Query => $"export/download?fileId={export.Id}",
        ResultShape.Binary => $"{export.Id}/binary",
        ResultShape.JsonString => JsonSerializer.Serialize(new { mediaFileId = $"{export.Id}", fileName = "JIRA-backup-20171121.zip" }),
        ResultShape.NullMedia => """{"mediaFileId":null,"fileName":"JIRA-backup-20171121.zip"}""",
        _ => $"export/download/?fileId={export.Id}",
    };
}
