namespace Backup.Engine.Folders;

/// <summary>What a folder's cache remembers beside its rows.</summary>
internal static class CacheNotes
{
    /// <summary>What the folder's root was at the last good run.</summary>
    public const string Identity = "root";

    /// <summary>The key of the last run's manifest.</summary>
    public const string LastManifest = "manifest";

    /// <summary>When the store last heard of this folder: by a manifest, or by a mark that nothing had changed.</summary>
    public const string Seen = "seen";

    /// <summary>The inventory's segments, as JSON.</summary>
    public const string Segments = "inventory";

    /// <summary>Set once the rows say all that the store holds.</summary>
    public const string Whole = "whole";

    /// <summary>Set while a run sends: whoever finds it knows that the run did not end, and that the store may hold more than the cache says.</summary>
    public const string Uploading = "uploading";

    /// <summary>The day on which replaced versions were last expired.</summary>
    public const string Expired = "expired";
}
