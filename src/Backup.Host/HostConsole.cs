using System.Globalization;
using Backup.Engine;

namespace Backup.Host;

/// <summary>What people see: results on standard output, failures and progress on standard error. Colours and progress only on a terminal.</summary>
internal static class HostConsole
{
    private static readonly string[] Units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

    /// <summary>Runs a command and says its failure in one sentence, with what to do.</summary>
    public static async Task<int> RunAsync(Func<Task<int>> command)
    {
        try
        {
            return await command();
        }
        catch (BackupException exception)
        {
            Error(exception.Message, exception.Advice);
            return ExitCode.Unusable;
        }
        catch (OperationCanceledException)
        {
            Error("Interrupted. What is stored stays stored; the next run goes on from there.", null);
            return ExitCode.Cancelled;
        }
    }

    /// <summary>Says what went wrong.</summary>
    public static void Error(string message, string? advice)
    {
        ClearProgress();
        if (!Console.IsErrorRedirected)
            Console.ForegroundColor = ConsoleColor.Red;
        Console.Error.WriteLine(advice is null ? message : $"{message} {advice}");
        if (!Console.IsErrorRedirected)
            Console.ResetColor();
    }

    /// <summary>Says something.</summary>
    public static void Line(string text = "")
    {
        ClearProgress();
        Console.WriteLine(text);
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
    public static IProgress<BackupProgress>? Progress() => Console.IsErrorRedirected ? null : new Bar();

    private static void ClearProgress()
    {
        if (!Console.IsErrorRedirected)
            Console.Error.Write("\r\u001b[K");
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
                Console.Error.Write($"\r\u001b[K{value.Activity}: {items} files, {bytes}");
            }
        }
    }
}
