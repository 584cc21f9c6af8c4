using System.Buffers;

namespace Backup.Engine.GitHub.Git;

/// <summary>The hash that a repository names its objects by (gitformat-pack(5)).</summary>
/// <param name="Name">As git calls it.</param>
/// <param name="HexLength">Hexadecimal digits of an id.</param>
internal sealed record ObjectFormat(string Name, int HexLength)
{
    /// <summary>What GitHub has.</summary>
    public static ObjectFormat Sha1 { get; } = new("sha1", 40);

    /// <summary>What git can have since 2.29.</summary>
    public static ObjectFormat Sha256 { get; } = new("sha256", 64);

    /// <summary>The id that stands for no object.</summary>
    public string Zero { get; } = new('0', HexLength);

    /// <summary>The format of that name, or null.</summary>
    public static ObjectFormat? Find(string name) => name == Sha1.Name ? Sha1 : name == Sha256.Name ? Sha256 : null;

    /// <summary>Whether it is an id: digits in lower case, as git writes them.</summary>
    public bool IsId(ReadOnlySpan<char> text) => text.Length == HexLength && !text.ContainsAnyExcept(Digits);

    private static readonly SearchValues<char> Digits = SearchValues.Create("0123456789abcdef");
}
