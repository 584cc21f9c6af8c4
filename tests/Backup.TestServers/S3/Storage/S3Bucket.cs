namespace Backup.TestServers.S3.Storage;

/// <summary>A bucket. Everything in it is read and changed under its gate.</summary>
internal sealed class S3Bucket(string name, DateTime createdAt)
{
    private readonly SortedSet<string> _keys = new(Utf8Order.Instance);
    private readonly Dictionary<string, List<ObjectVersion>> _versions = new(StringComparer.Ordinal);

    public Lock Gate { get; } = new();

    public string Name { get; } = name;

    public DateTime CreatedAt { get; } = createdAt;

    /// <summary>Null, Enabled or Suspended.</summary>
    public string? Versioning { get; set; }

    public bool ObjectLock { get; set; }

    public Dictionary<string, byte[]> Documents { get; } = new(StringComparer.Ordinal);

    public Dictionary<string, MultipartUpload> Uploads { get; } = new(StringComparer.Ordinal);

    public bool IsEmpty => _keys.Count is 0;

    /// <summary>The versions of a key, newest first.</summary>
    public IReadOnlyList<ObjectVersion> VersionsOf(string key) => _versions.TryGetValue(key, out var versions) ? versions : [];

    public ObjectVersion? Current(string key) => VersionsOf(key) is [var newest, ..] ? newest : null;

    /// <summary>Keys in UTF-8 order that are not before <paramref name="start"/>.</summary>
    public IEnumerable<string> KeysFrom(string start) =>
        _keys.Max is { } last && Utf8Order.Instance.Compare(start, last) <= 0 ? _keys.GetViewBetween(start, last) : [];

    /// <summary>Makes it the newest version, replacing what the bucket's versioning says is replaced.</summary>
    public void Put(ObjectVersion version)
    {
        version.VersionId = Versioning is "Enabled" ? NewVersionId() : ObjectVersion.NullId;
        if (!_versions.TryGetValue(version.Key, out var versions))
        {
            _versions[version.Key] = versions = [];
            _keys.Add(version.Key);
        }

        if (version.VersionId is ObjectVersion.NullId && versions.Find(v => v.VersionId is ObjectVersion.NullId) is { } replaced)
        {
            versions.Remove(replaced);
            replaced.Content.Release();
        }

        versions.Insert(0, version);
    }

    public void Remove(ObjectVersion version)
    {
        var versions = _versions[version.Key];
        versions.Remove(version);
        version.Content.Release();
        if (versions.Count > 0)
            return;
        _versions.Remove(version.Key);
        _keys.Remove(version.Key);
    }

    private static string NewVersionId() => Convert.ToBase64String(Guid.NewGuid().ToByteArray()).TrimEnd('=').Replace('+', '-').Replace('/', '_') + "0000000000";
}
