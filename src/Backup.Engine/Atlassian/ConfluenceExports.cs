using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml;
using System.Xml.Linq;

namespace Backup.Engine.Atlassian;

/// <summary>
/// Confluence's backup manager, <c>/wiki/rest/obm/1.0</c>. Sources: the public tools bitprocessor/atlassian-cloud-backup,
/// davidmalko87/jira-confluence-full-instance-backup, datreeio/jira-backup-py and essentialkaos/atlassian-cloud-backuper.
/// </summary>
internal sealed partial class ConfluenceExports(AtlassianClient client) : IExportApi
{
    /// <inheritdoc/>
    public AtlassianProduct Product => AtlassianProduct.Confluence;

    /// <inheritdoc/>
    public TimeSpan Interval => TimeSpan.FromHours(24);

    /// <inheritdoc/>
    public async Task CheckAsync(CancellationToken cancellationToken)
    {
        var answer = await client.GetAsync("/wiki/rest/api/user/current", cancellationToken);
        if (answer.Failure is not null)
            throw SiteFailures.Of(answer, client, Product);
        // Where anonymous access is on, a request without a user is no failure.
        if (answer.IsPage || JsonText.Read(answer.Text)?.Text("type") == "anonymous")
            throw SiteFailures.Unauthenticated(client);
    }

    /// <inheritdoc/>
    public async Task<ExportState> StateAsync(string? taskId, CancellationToken cancellationToken)
    {
        var answer = await client.GetAsync("/wiki/rest/obm/1.0/getprogress.json", cancellationToken);
        if (answer.Status == HttpStatusCode.NoContent)
            return new(ExportPhase.None);
        if (answer.Failure is not null)
            throw SiteFailures.Of(answer, client, Product);
        if (answer.IsPage || Fields(answer.Text) is not { } fields)
            return new(ExportPhase.Unclear);

        var fileId = fields.GetValueOrDefault("fileName") is { Length: > 0 } name ? name : null;
        var failure = fields.GetValueOrDefault("failedMessage") is { Length: > 0 } text ? text : null;
        var percent = PercentOf(fields.GetValueOrDefault("alternativePercentage"));
        var phase = failure is not null ? ExportPhase.Failed
            // Neither the percentage nor the size says that it is done: at 100 % the status may still be "Archiving attachments".
            : fileId is not null ? ExportPhase.Ready
            : percent is not null || fields.GetValueOrDefault("currentStatus") is { Length: > 0 } || fields.GetValueOrDefault("concurrentBackupInProgress") == "true" ? ExportPhase.Running
            : ExportPhase.None;
        return new(phase)
        {
            FileId = fileId,
            Time = long.TryParse(fields.GetValueOrDefault("time"), NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds) && milliseconds is > 0 and < 253402300800000 ? DateTimeOffset.FromUnixTimeMilliseconds(milliseconds) : null,
            Percent = percent,
            Message = failure ?? fields.GetValueOrDefault("currentStatus"),
        };
    }

    /// <inheritdoc/>
    public async Task<ExportRequest> RequestAsync(bool includeAttachments, CancellationToken cancellationToken)
    {
        // Strings, as every public tool sends them; Jira takes nothing else.
        var answer = await client.PostAsync("/wiki/rest/obm/1.0/runbackup", $$"""{"cbAttachments":"{{(includeAttachments ? "true" : "false")}}","exportToCloud":"true"}""", cancellationToken);
        if (Cooldown.Parse(answer.Text) is { } cooldown)
            return new(null, cooldown);
        if (answer.Status == HttpStatusCode.NotAcceptable)
            return new(null, new Cooldown((TimeSpan?)null));
        return answer.Failure is null ? new(null, null) : throw SiteFailures.Of(answer, client, Product);
    }

    /// <inheritdoc/>
    public string DownloadPath(string fileId)
    {
        var path = fileId.Trim().TrimStart('/');
        foreach (var prefix in (string[])["wiki/", "download/"])
        {
            if (path.StartsWith(prefix, StringComparison.OrdinalIgnoreCase))
                path = path[prefix.Length..];
        }

        if (BareId().IsMatch(path))
            path = "temp/filestore/" + path;
        // The name comes from the network, and becomes part of an address that the token is sent to.
        if (!SafePath().IsMatch(path) || path.Contains("..", StringComparison.Ordinal))
            throw new BackupException(FailureKind.Unavailable, $"{client.Site} names the export in a way that is not known: '{(fileId.Length > 200 ? fileId[..200] + "…" : fileId)}'.", "Download it in the browser, then store it with Save-AtlassianExport.");
        return "/wiki/download/" + path;
    }

    /// <summary>"57%", "Estimated progress: 100 %", and numbers above 100.</summary>
    internal static int? PercentOf(string? text) =>
        text is not null && Number().Match(text) is { Success: true } number && int.TryParse(number.Value, NumberStyles.None, CultureInfo.InvariantCulture, out var percent) ? Math.Min(percent, 100) : null;

    /// <summary>JSON, or the attributes of an XML element backupresult, which has been seen where JSON was not asked for.</summary>
    private static Dictionary<string, string>? Fields(string text)
    {
        if (text.AsSpan().TrimStart().StartsWith("<"))
        {
            try
            {
                using var reader = XmlReader.Create(new StringReader(text), new() { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null });
                var root = XElement.Load(reader);
                return root.Name.LocalName == "backupresult"
                    ? root.Attributes().Select(attribute => (attribute.Name.LocalName, attribute.Value)).Concat(root.Elements().Select(element => (element.Name.LocalName, element.Value))).DistinctBy(pair => pair.LocalName, StringComparer.Ordinal).ToDictionary(pair => pair.LocalName, pair => pair.Value, StringComparer.Ordinal)
                    : null;
            }
            catch (XmlException)
            {
                return null;
            }
        }

        return JsonText.Read(text) is { ValueKind: JsonValueKind.Object } json
            ? json.EnumerateObject().Where(field => field.Value.ValueKind is not (JsonValueKind.Null or JsonValueKind.Object or JsonValueKind.Array)).DistinctBy(field => field.Name, StringComparer.Ordinal).ToDictionary(field => field.Name, field => field.Value.ValueKind == JsonValueKind.String ? field.Value.GetString()! : field.Value.GetRawText(), StringComparer.Ordinal)
            : null;
    }

    [GeneratedRegex(@"\d+", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Number();

    [GeneratedRegex(@"^[0-9A-Za-z-]+$", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex BareId();

    [GeneratedRegex(@"^[\w./%+ -]+$", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex SafePath();
}
