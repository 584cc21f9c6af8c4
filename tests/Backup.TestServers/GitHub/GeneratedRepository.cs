using System.Globalization;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;

namespace Backup.TestServers.GitHub;

/// <summary>Writes commits into a bare repository without a process, so that a thousand repositories take a moment. git's own formats: gitformat-loose(5), gitrepository-layout(5).</summary>
public sealed class GeneratedRepository(string path)
{
    private const string Author = "Ann <ann@example.com>";

    private int _time = 1_700_000_000;

    /// <summary>A commit with these files, on top of a parent or of none; its id.</summary>
    public string Commit(string? parent, string message, params IReadOnlyList<(string Name, byte[] Content)> files)
    {
        var tree = new MemoryStream();
        foreach (var (name, content) in files.OrderBy(file => file.Name, StringComparer.Ordinal))
        {
            tree.Write(Encoding.UTF8.GetBytes($"100644 {name}\0"));
            tree.Write(Convert.FromHexString(Write("blob", content)));
        }

        var time = (++_time).ToString(CultureInfo.InvariantCulture);
        var text = $"tree {Write("tree", tree.ToArray())}\n{(parent is null ? "" : $"parent {parent}\n")}author {Author} {time} +0000\ncommitter {Author} {time} +0000\n\n{message}\n";
        return Write("commit", Encoding.UTF8.GetBytes(text));
    }

    /// <summary>Lets a ref name a commit.</summary>
    public void SetRef(string name, string id)
    {
        var file = Path.Combine(path, name);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, id + "\n");
    }

    /// <summary>Lets many refs name a commit, in one file.</summary>
    public void SetPackedRefs(IEnumerable<string> names, string id) =>
        File.WriteAllText(Path.Combine(path, "packed-refs"), "# pack-refs with: peeled fully-peeled sorted \n" + string.Concat(names.Order(StringComparer.Ordinal).Select(name => $"{id} {name}\n")));

    private string Write(string type, byte[] content)
    {
        byte[] bytes = [.. Encoding.ASCII.GetBytes($"{type} {content.Length.ToString(CultureInfo.InvariantCulture)}\0"), .. content];
        // git names its objects by SHA-1.
        var id = Convert.ToHexStringLower(SHA1.HashData(bytes));
        var file = Path.Combine(path, "objects", id[..2], id[2..]);
        if (File.Exists(file))
            return id;
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        using var stream = new ZLibStream(File.Create(file), CompressionLevel.Fastest);
        stream.Write(bytes);
        return id;
    }
}
