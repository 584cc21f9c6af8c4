namespace Backup.TestServers.Atlassian;

/// <summary>What is to go wrong with one download request. Null and false are as they should be.</summary>
public sealed record DownloadFault
{
    /// <summary>The connection breaks after so many bytes of this answer.</summary>
    public long? CutAfter { get; init; }

    /// <summary>Nothing more is sent after so many bytes, and the connection stays.</summary>
    public long? HangAfter { get; init; }

    /// <summary>The signed address is said to have expired: 403 by the media server.</summary>
    public bool Expired { get; init; }

    /// <summary>The range is ignored: 200 with everything.</summary>
    public bool IgnoresRange { get; init; }

    /// <summary>416, with the length or without.</summary>
    public bool NotSatisfiable { get; init; }

    /// <summary>With <see cref="NotSatisfiable"/>: Content-Range tells the length.</summary>
    public bool TellsLength { get; init; } = true;

    /// <summary>A sign-in page with status 200, as text/html or as application/zip.</summary>
    public string? LoginPageAs { get; init; }

    /// <summary>Any other status, by the site itself.</summary>
    public int? SiteStatus { get; init; }

    /// <summary>Any other status, by the media server.</summary>
    public int? MediaStatus { get; init; }

    /// <summary>So much is added to the length that is told.</summary>
    public long LengthDelta { get; init; }

    /// <summary>Another file's entity tag.</summary>
    public string? ETag { get; init; }
}
