using System.Diagnostics;

namespace Backup.Engine.Tests.Fixtures;

/// <summary>What a program said and how it ended.</summary>
internal sealed record PeerResult(int ExitCode, string Output, string Error)
{
    /// <summary>Its output, once it is certain that it succeeded.</summary>
    public string Succeeded()
    {
        ExitCode.ShouldBe(0, Output + Error);
        return Output;
    }
}

/// <summary>Runs programs that others wrote: aws, rclone, git. What they read and write is the proof that the formats are right.</summary>
internal static class PeerProgram
{
    private static readonly TimeSpan DefaultDeadline = TimeSpan.FromMinutes(2);

    /// <summary>The program's path, or null where it is not installed.</summary>
    public static string? Find(string name)
    {
        var endings = OperatingSystem.IsWindows() ? (string[])[".exe", ".cmd"] : [""];
        return (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .SelectMany(directory => endings.Select(ending => Path.Combine(directory, name + ending)))
            .FirstOrDefault(File.Exists);
    }

    /// <summary>Runs a program to its end; the test is skipped where it is not installed, and fails where it takes longer than the deadline.</summary>
    public static async Task<PeerResult> RunAsync(
        string name,
        IEnumerable<string> arguments,
        IReadOnlyDictionary<string, string?>? environment = null,
        string? workingDirectory = null,
        TimeSpan? deadline = null)
    {
        var path = Find(name);
        Assert.SkipWhen(path is null, $"{name} is not installed.");

        var start = new ProcessStartInfo(path, arguments)
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            WorkingDirectory = workingDirectory ?? Environment.CurrentDirectory,
        };
        foreach (var (variable, value) in environment ?? new Dictionary<string, string?>(StringComparer.Ordinal))
            start.Environment[variable] = value;

        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        using var timeout = new CancellationTokenSource(deadline ?? DefaultDeadline);
        try
        {
            await process.WaitForExitAsync(timeout.Token);
        }
        catch (OperationCanceledException exception)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{name} {string.Join(' ', arguments)} did not end in time. {await error}", exception);
        }
        return new(process.ExitCode, await output, await error);
    }
}
