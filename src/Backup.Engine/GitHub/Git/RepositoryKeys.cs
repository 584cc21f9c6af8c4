using System.Globalization;
using System.Text;

namespace Backup.Engine.GitHub.Git;

/// <summary>Where things of a repository are in the store: <c>github/{owner}/{name}.{id}/{generation}/…</c>.</summary>
internal static class RepositoryKeys
{
    private const int MaxName = 200;

    /// <summary>The folder of a repository, without a slash at its end. GitHub's own names stay as they are; whatever else is percent-encoded.</summary>
    public static string Folder(string owner, string name, long id) => $"github/{Encode(owner)}/{Encode(name)}.{id.ToString(CultureInfo.InvariantCulture)}";

    /// <summary>The bundle of a generation.</summary>
    public static string Bundle(string folder, string generation, GitPart part) => $"{folder}/{generation}/{Word(part)}.bundle";

    /// <summary>The description of a generation.</summary>
    public static string Manifest(string folder, string generation, GitPart part) => $"{folder}/{generation}/{Word(part)}.json";

    /// <summary>The list of LFS objects of a generation.</summary>
    public static string LfsList(string folder, string generation, GitPart part) => $"{folder}/{generation}/{(part == GitPart.Wiki ? "wiki-lfs" : "lfs")}.jsonl";

    /// <summary>Below it are all LFS objects of a repository.</summary>
    public static string LfsRoot(string folder) => $"{folder}/lfs/";

    /// <summary>An LFS object.</summary>
    public static string LfsObject(string folder, string oid) => $"{LfsRoot(folder)}{oid[..2]}/{oid}";

    /// <summary>As files are named.</summary>
    public static string Word(GitPart part) => part == GitPart.Wiki ? "wiki" : "repository";

    private static string Encode(string name)
    {
        var text = new StringBuilder(name.Length);
        // "." and ".." are nobody's name, and would lead elsewhere.
        var isDots = name.Trim('.').Length == 0;
        foreach (var b in Encoding.UTF8.GetBytes(name))
        {
            if (char.IsAsciiLetterOrDigit((char)b) || b is (byte)'-' or (byte)'_' || (b == '.' && !isDots))
                text.Append((char)b);
            else
                text.Append('%').Append(b.ToString("X2", CultureInfo.InvariantCulture));
        }

        return text.Length <= MaxName ? text.ToString() : text.ToString(0, MaxName);
    }
}
