using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;

namespace Backup.Engine.Atlassian;

/// <summary>
/// Jira's export, <c>/rest/backup/1/export</c>. Since March 2026 most sites answer that only the UI may. Sources: the public tools
/// datreeio/jira-backup-py (issue 27), davidmalko87/jira-confluence-full-instance-backup, mattock/jira-cloud-backup (issue 16) and timo-jakob's.
/// </summary>
internal sealed partial class JiraExports(AtlassianClient client) : IExportApi
{
    private const string Base = "/rest/backup/1/export/";

    /// <inheritdoc/>
    public AtlassianProduct Product => AtlassianProduct.Jira;

    /// <inheritdoc/>
    public TimeSpan Interval => TimeSpan.FromHours(48);

    /// <inheritdoc/>
    public async Task CheckAsync(CancellationToken cancellationToken)
    {
        var answer = await client.GetAsync("/rest/api/3/myself", cancellationToken);
        if (answer.Failure is not null)
            throw SiteFailures.Of(answer, client, Product);
        if (answer.IsPage)
            throw SiteFailures.Unauthenticated(client);
    }

    /// <inheritdoc/>
    public async Task<ExportState> StateAsync(string? taskId, CancellationToken cancellationToken)
    {
        var id = taskId ?? await LastTaskAsync(cancellationToken);
        if (id is null)
            return new(ExportPhase.None);
        if (id.Length == 0)
            return new(ExportPhase.Unclear);
        var answer = await client.GetAsync($"{Base}getProgress?taskId={Uri.EscapeDataString(id)}", cancellationToken);
        if (answer.Status == HttpStatusCode.NotFound)
            return new(ExportPhase.Failed) { TaskId = id, Message = $"Jira does not know the task {id} any more" };
        if (answer.Failure is not null)
            throw SiteFailures.Of(answer, client, Product);
        if (answer.IsPage || JsonText.Read(answer.Text) is not { } json)
            return new(ExportPhase.Unclear) { TaskId = id };

        var status = json.Text("status");
        // The file is in "result": a path, an id with a suffix, or, once, JSON in a string. The address in the completion message is not to be used.
        var fileId = json.Text("result") is { } result && Uuid().Match(result) is { Success: true } uuid ? uuid.Value : null;
        var isOver = status is "Success" or "Failed" or "Failure" or "Error" or "Cancelled";
        return new(fileId is not null && status is "Success" ? ExportPhase.Ready : isOver ? ExportPhase.Failed : ExportPhase.Running)
        {
            TaskId = id,
            FileId = fileId,
            Percent = ConfluenceExports.PercentOf(json.Text("progress")),
            Message = status is "Success" && fileId is null ? "Jira says that the export succeeded, and names no file" : json.Text("message"),
            // Of one that is being made only the progress is wanted.
            Time = taskId is null || isOver ? await SubmittedAsync(id, cancellationToken) : null,
        };
    }

    /// <inheritdoc/>
    public async Task<ExportRequest> RequestAsync(bool includeAttachments, CancellationToken cancellationToken)
    {
        var answer = await client.PostAsync(Base + "runbackup", $$"""{"cbAttachments":"{{(includeAttachments ? "true" : "false")}}","exportToCloud":"true"}""", cancellationToken);
        if (Cooldown.Parse(answer.Text) is { } cooldown)
            return new(null, cooldown);
        if (answer.Status == HttpStatusCode.PreconditionFailed)
            return new(null, new Cooldown((TimeSpan?)null));
        if (answer.Failure is not null)
            throw SiteFailures.Of(answer, client, Product);
        return new(JsonText.Read(answer.Text)?.Text("taskId"), null);
    }

    /// <inheritdoc/>
    public string DownloadPath(string fileId) => $"/plugins/servlet/export/download/?fileId={Uri.EscapeDataString(fileId)}";

    /// <summary>The newest task; null where there is none, empty where the answer is unclear.</summary>
    private async Task<string?> LastTaskAsync(CancellationToken cancellationToken)
    {
        var answer = await client.GetAsync(Base + "lastTaskId", cancellationToken);
        if (answer.Status == HttpStatusCode.NoContent)
            return null;
        if (answer.Failure is not null)
            throw SiteFailures.Of(answer, client, Product);
        var text = answer.Text.Trim().Trim('"');
        return text.Length is > 0 and < 20 && text.All(char.IsAsciiDigit) ? text : "";
    }

    // How old an export is, the export's own interface does not tell. Without the right to ask, its age stays unknown.
    private async Task<DateTimeOffset?> SubmittedAsync(string taskId, CancellationToken cancellationToken)
    {
        var answer = await client.GetAsync($"/rest/api/3/task/{Uri.EscapeDataString(taskId)}", cancellationToken);
        return answer.Failure is null && long.TryParse(JsonText.Read(answer.Text)?.Text("submitted"), NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds) && milliseconds is > 0 and < 253402300800000
            ? DateTimeOffset.FromUnixTimeMilliseconds(milliseconds)
            : null;
    }

    [GeneratedRegex(@"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Uuid();
}
