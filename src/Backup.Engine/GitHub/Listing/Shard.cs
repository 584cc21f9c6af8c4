using System.Globalization;

namespace Backup.Engine.GitHub;

/// <summary>One of several equal parts of all repositories, by their ids: <c>3/8</c> is the third of eight. Which part a repository is in never changes.</summary>
/// <param name="Index">Which, from 1.</param>
/// <param name="Count">Of how many.</param>
public sealed record Shard(int Index, int Count)
{
    private const int MaxCount = 1000;

    /// <summary>Reads a shard.</summary>
    /// <exception cref="BackupException"><see cref="FailureKind.InvalidInput"/>.</exception>
    public static Shard Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text.Split('/') is [var first, var second]
            && int.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out var index)
            && int.TryParse(second, NumberStyles.None, CultureInfo.InvariantCulture, out var count)
            && count is >= 1 and <= MaxCount && index >= 1 && index <= count
            ? new(index, count)
            : throw new BackupException(FailureKind.InvalidInput, $"'{text}' is not a shard.", "Give which of how many: 3/8 is the third of eight.");
    }

    /// <summary>Whether a repository is in it.</summary>
    public bool Contains(long id) => id % Count == Index - 1;

    /// <inheritdoc/>
    public override string ToString() => $"{Index}/{Count}";
}
