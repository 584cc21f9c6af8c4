namespace AtlassianBackup.Commands;

/// <summary>Run ids as they come down a pipeline: a result whose run changed nothing has none.</summary>
internal static class RunIds
{
    internal static IReadOnlyList<string>? Given(string[]? ids) =>
        ids?.Where(id => !string.IsNullOrEmpty(id)).ToArray() is { Length: > 0 } given ? given : null;
}
