using System.Globalization;

namespace Backup.TestServers;

/// <summary>What is left of a command line.</summary>
internal static class CommandArguments
{
    /// <summary>The value of an option.</summary>
    public static string Value(Queue<string> left, string name) => left.TryDequeue(out var value) ? value : throw new FormatException($"{name} needs a value.");

    /// <summary>The value of an option that takes a whole number.</summary>
    public static int Number(Queue<string> left, string name) =>
        int.TryParse(Value(left, name), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : throw new FormatException($"{name} needs a number.");
}
