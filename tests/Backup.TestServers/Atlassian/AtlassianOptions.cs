namespace Backup.TestServers.Atlassian;

/// <summary>The shapes in which Confluence has named its export (reference 1.1).</summary>
public enum FileNameShape
{
    /// <summary><c>temp/filestore/{uuid}</c> (essentialkaos, datree).</summary>
    Filestore,

    /// <summary>A bare uuid (davidmalko87).</summary>
    Bare,

    /// <summary><c>ondemandbackupmanager/download/{uuid}/{name}.zip</c> (before 2017).</summary>
    Legacy,
}

/// <summary>The shapes in which Jira has named its export (reference 1.2).</summary>
public enum ResultShape
{
    /// <summary><c>export/download/?fileId={uuid}</c>.</summary>
    SlashQuery,

    /// <summary><c>export/download?fileId={uuid}</c>.</summary>
    Query,

    /// <summary><c>{uuid}/binary</c> (2026): the suffix is not to be used.</summary>
    Binary,

    /// <summary>A JSON string with mediaFileId and fileName (2017).</summary>
    JsonString,

    /// <summary>The same with mediaFileId null (mattock/jira-cloud-backup, issue 16).</summary>
    NullMedia,
}

/// <summary>How the site is set up.</summary>
public sealed record AtlassianOptions
{
    /// <summary>The port of the site; 0 for any free one. The media server has a port of its own.</summary>
    public int Port { get; init; }

    /// <summary>Who may sign in.</summary>
    public string User { get; init; } = "admin@example.com";

    /// <summary>The API token.</summary>
    public string Token { get; init; } = "classic-api-token";

    /// <summary>The site's products.</summary>
    public bool HasConfluence { get; init; } = true;

    /// <inheritdoc cref="HasConfluence"/>
    public bool HasJira { get; init; } = true;

    /// <summary>Whether the user may export.</summary>
    public bool IsAdministrator { get; init; } = true;

    /// <summary>Whether whoever has no valid token is somebody anonymous instead of nobody.</summary>
    public bool AllowsAnonymous { get; init; }

    /// <summary>Jira answers that only the UI may export (since March 2026).</summary>
    public bool JiraUiOnly { get; init; }

    /// <summary>The length of each export, in bytes.</summary>
    public long ExportSize { get; init; } = 1 << 20;

    /// <summary>The export's content.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>How often its progress is asked about before an export is there.</summary>
    public int Polls { get; init; } = 2;

    /// <summary>How long an export takes at least.</summary>
    public TimeSpan ExportTime { get; init; }

    /// <summary>Bytes a second of a download, or null for as fast as it goes.</summary>
    public long? Pace { get; init; }

    /// <summary>How long after an export no other may be asked for.</summary>
    public TimeSpan Cooldown { get; init; }

    /// <summary>How a cooldown is told: status and text, with <c>{0}</c> for the time, or null for the product's own.</summary>
    public (int Status, string Text)? CooldownAnswer { get; init; }

    /// <summary>Confluence tells the cooldown and makes the export all the same (davidmalko87).</summary>
    public bool CosmeticCooldown { get; init; }

    /// <summary>How Confluence names its file.</summary>
    public FileNameShape FileName { get; init; }

    /// <summary>How Jira names its file.</summary>
    public ResultShape Result { get; init; }

    /// <summary>What the progress text looks like: <c>{0}</c> is the number.</summary>
    public string Percentage { get; init; } = "{0}%";

    /// <summary>Whether downloads lead to the media server; else the site sends them itself.</summary>
    public bool RedirectsDownloads { get; init; } = true;

    /// <summary>Whether downloads have an entity tag.</summary>
    public bool HasETag { get; init; } = true;

    /// <summary>Whether downloads say how long they are.</summary>
    public bool HasLength { get; init; } = true;
}
