using Backup.Engine.Files;

namespace Backup.Engine.Folders;

/// <summary>Keeps a source that is not whole from looking like files that are meant to be gone.</summary>
internal static class DeletionGuard
{
    /// <summary>Why nothing of what the plan deletes may be deleted, or null.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="identity">What its root is now.</param>
    /// <param name="lastIdentity">What its root was at the last good run, or null.</param>
    /// <param name="scanned">Files that were found.</param>
    /// <param name="problems">Folders and files that could not be read.</param>
    /// <param name="cache">What is stored, and the plan.</param>
    /// <param name="maxDeletePercent">The share of files above which it is too much.</param>
    public static string? WhyNot(string folder, RootIdentity identity, string? lastIdentity, long scanned, long problems, FolderCache cache, double maxDeletePercent)
    {
        if (cache.Plan(PlanAction.Delete).Count == 0)
            return null;
        if (problems > 0)
            return $"Nothing was deleted: {problems} folders or files of '{folder}' could not be read, so what is missing may only be hidden.";
        if (lastIdentity is not null && lastIdentity != identity.ToString())
            return $"Nothing was deleted: '{folder}' is on another volume than at the last run, or another folder was put in its place. Is the disk mounted?";
        var known = cache.Files.Count;
        if (scanned == 0 && known > 0)
            return $"Nothing was deleted: '{folder}' is empty, and {known} files of it are stored. Is the disk mounted?";
        var files = cache.ReadPlan(PlanAction.Delete).LongCount(item => item.Entry.Kind == FileEntryKind.File);
        return files > known * maxDeletePercent / 100
            ? $"Nothing was deleted: {files} of {known} stored files ({100.0 * files / known:0.#} %) are gone from '{folder}', more than the {maxDeletePercent:0.#} % of -MaxDeletePercent, which can be raised."
            : null;
    }
}
