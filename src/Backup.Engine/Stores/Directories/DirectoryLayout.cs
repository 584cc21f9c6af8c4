namespace Backup.Engine.Stores.Directories;

/// <summary>Where everything is: objects mirror their keys, all else is under <c>.store</c>.</summary>
/// <param name="root">The store's directory.</param>
/// <param name="names">The encoding of keys.</param>
internal sealed class DirectoryLayout(string root, KeyNames names)
{
    // "a" and "a.json", "a" and "a/b" are both keys: these endings keep their private files and directories apart.
    private const string SidecarEnding = "%m.json";
    private const string VersionsEnding = "%v";
    private const string VersionSidecarEnding = ".json";

    /// <summary>The store's directory.</summary>
    public string Root { get; } = root;

    /// <summary>The encoding of keys.</summary>
    public KeyNames Names { get; } = names;

    /// <summary>Where sidecars are.</summary>
    public string SidecarRoot { get; } = Path.Combine(root, KeyNames.Private, "meta");

    /// <summary>Where old versions are.</summary>
    public string VersionRoot { get; } = Path.Combine(root, KeyNames.Private, "versions");

    /// <summary>Where files are before they are objects.</summary>
    public static string TemporaryRoot(string root) => Path.Combine(root, KeyNames.Private, "tmp");

    /// <summary>The file that says how the store was made.</summary>
    public static string FormatFile(string root) => Path.Combine(root, KeyNames.Private, "format.json");

    /// <summary>The object's file while no directory has its name.</summary>
    public string Plain(string key) => Path.Combine(Root, Names.Path(key));

    /// <summary>The object's file where a directory has, or had, its plain name.</summary>
    public string Marked(string key) => Plain(key) + KeyNames.FileMarker;

    /// <summary>The file of the current object, or null. A file only ever moves from the plain name to the marked one, so this order misses none.</summary>
    public string? Locate(string key)
    {
        var plain = Plain(key);
        if (File.Exists(plain))
            return plain;
        var marked = plain + KeyNames.FileMarker;
        return File.Exists(marked) ? marked : null;
    }

    /// <summary>The current object's sidecar.</summary>
    public string SidecarOf(string key) => Path.Combine(SidecarRoot, Names.Path(key) + SidecarEnding);

    /// <summary>The directory of an object's old versions.</summary>
    public string VersionsOf(string key) => Path.Combine(VersionRoot, Names.Path(key) + VersionsEnding);

    /// <summary>An old version's file.</summary>
    public string Version(string key, string versionId) => Path.Combine(VersionsOf(key), versionId);

    /// <summary>The sidecar of an old version's file.</summary>
    public static string SidecarOfVersion(string version) => version + VersionSidecarEnding;

    /// <summary>The old version's file that a sidecar is for, or null where this is no sidecar.</summary>
    public static string? VersionOfSidecar(string path) =>
        path.EndsWith(VersionSidecarEnding, StringComparison.Ordinal) ? path[..^VersionSidecarEnding.Length] : null;
}
