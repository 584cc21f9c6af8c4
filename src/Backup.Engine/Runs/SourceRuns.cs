namespace Backup.Engine.Runs;

/// <summary>The newest runs of a source, by the keys of their manifests.</summary>
/// <param name="System">The system.</param>
/// <param name="Source">The source's name in keys.</param>
/// <param name="Keys">The keys of the newest manifests, newest first.</param>
/// <param name="Total">How many runs there are.</param>
internal sealed record SourceRuns(string System, string Source, IReadOnlyList<string> Keys, long Total)
{
    /// <summary>From <c>{system}/{source}</c> and keys in the order of their time.</summary>
    public static SourceRuns Of(string place, IEnumerable<string> keys, long total)
    {
        var slash = place.IndexOf('/', StringComparison.Ordinal);
        return new(slash < 0 ? "" : place[..slash], place[(slash + 1)..], [.. keys.Reverse()], total);
    }
}
