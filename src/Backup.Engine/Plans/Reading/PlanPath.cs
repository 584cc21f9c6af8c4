namespace Backup.Engine.Plans;

/// <summary>Where in a plan something is, as people write it: <c>jobs[2].site</c>.</summary>
internal static class PlanPath
{
    // A name in a file can be anything, and goes into messages.
    private const int MaxName = 60;

    public static string Below(string path, string name) => path.Length == 0 ? Shown(name) : $"{path}.{Shown(name)}";

    public static string Item(string path, int index) => $"{path}[{index}]";

    /// <summary>A name as a message may hold it.</summary>
    public static string Shown(string name) => new([.. (name.Length <= MaxName ? name : name[..MaxName] + "…").Select(c => char.IsControl(c) ? '?' : c)]);
}
