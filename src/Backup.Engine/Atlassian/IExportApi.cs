namespace Backup.Engine.Atlassian;

/// <summary>How one product makes exports. Both were never documented by Atlassian; what is known comes from public tools.</summary>
internal interface IExportApi
{
    /// <summary>The product.</summary>
    AtlassianProduct Product { get; }

    /// <summary>How long after an export Atlassian allows no other.</summary>
    TimeSpan Interval { get; }

    /// <summary>Finds out whether the token works and the product is there. It changes nothing.</summary>
    Task CheckAsync(CancellationToken cancellationToken);

    /// <summary>The newest export, or the one of a task. It changes nothing.</summary>
    Task<ExportState> StateAsync(string? taskId, CancellationToken cancellationToken);

    /// <summary>Asks for an export.</summary>
    Task<ExportRequest> RequestAsync(bool includeAttachments, CancellationToken cancellationToken);

    /// <summary>The path and query that a file is downloaded from.</summary>
    string DownloadPath(string fileId);
}
