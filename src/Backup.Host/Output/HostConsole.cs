using System.Globalization;
using Backup.Engine;
using Microsoft.Extensions.Logging;

namespace Backup.Host.Output;

/// <summary>Standard error: failures, messages and progress. Colours and progress only on a terminal; <c>NO_COLOR</c> (https://no-color.org) turns colours off there too.</summary>
internal static class HostConsole
{
    private const string Red = "\e[31m";
    private const string Reset = "\e[0m";
    private const string ClearLine = "\r\e[K";

    private static readonly string[] Units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

    private static bool IsTerminal => !Console.IsErrorRedirected && Environment.GetEnvironmentVariable("TERM") != "dumb";

    private static bool HasColours => IsTerminal && Environment.GetEnvironmentVariable("NO_COLOR") is null or "";

    /// <summary>Says what went wrong.</summary>
    public static void Error(string message, string? advice = null)
    {
        var text = string.IsNullOrEmpty(advice) ? message : $"{message} {advice}";
        Message(HasColours ? Red + text + Reset : text);
    }

    /// <summary>Says something that is no result.</summary>
    public static void Message(string text = "")
    {
        ClearProgress();
        Console.Error.WriteLine(text);
    }

    /// <summary>Bytes as people read them.</summary>
    public static string Size(double bytes)
    {
        var unit = 0;
        while (bytes >= 1024 && unit < Units.Length - 1)
        {
            bytes /= 1024;
            unit++;
        }

        return string.Create(CultureInfo.InvariantCulture, $"{bytes:0.#} {Units[unit]}");
    }

    /// <summary>Shows progress on a terminal, five times a second at the most; null where nobody would see it.</summary>
    public static IProgress<BackupProgress>? Progress() => IsTerminal ? new Bar() : null;

    /// <summary>Says warnings, and with <paramref name="isVerbose"/> each decision too.</summary>
    public static CallbackLogger Logger(bool isVerbose) => new((int)(isVerbose ? LogLevel.Debug : LogLevel.Warning), (_, message) => Message(message));

    /// <summary>Makes room where progress was.</summary>
    public static void ClearProgress()
    {
        if (IsTerminal)
            Console.Error.Write(ClearLine);
    }

    private sealed class Bar : IProgress<BackupProgress>
    {
        private readonly Lock _lock = new();
        private long _next;

        public void Report(BackupProgress value)
        {
            lock (_lock)
            {
                if (Environment.TickCount64 < _next)
                    return;
                _next = Environment.TickCount64 + 200;
                var bytes = value.BytesTotal is { } total ? $"{Size(value.BytesDone)} of {Size(total)}" : Size(value.BytesDone);
                var items = value.ItemsTotal is { } all ? $"{value.ItemsDone} of {all}" : $"{value.ItemsDone}";
                Console.Error.Write($"{ClearLine}{value.Activity}: {items} items, {bytes}");
            }
        }
    }
}
