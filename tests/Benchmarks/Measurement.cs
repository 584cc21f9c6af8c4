using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Benchmarks.Sink;

namespace Benchmarks;

/// <summary>One run of one program.</summary>
internal sealed record Measurement(string Workload, string Program, int Delay, double Wall, double Cpu, double PeakMiB, SinkTotals Sink, double SinkCpu, string? Failure)
{
    /// <summary>The run with the median wall time, or the failure.</summary>
    public static Measurement Median(IReadOnlyList<Measurement> runs) =>
        runs.FirstOrDefault(run => run.Failure is not null) ?? runs.OrderBy(run => run.Wall).ElementAt(runs.Count / 2);
}

/// <summary>What a finished process cost.</summary>
internal sealed record ChildCost(double Wall, double Cpu, double PeakMiB, int ExitCode, string Output)
{
    private const int ChildrenThatEnded = -1;

    /// <summary>Runs a program to its end, or to the deadline. Processor time is the kernel's own count for children that ended, theirs included.</summary>
    public static async Task<ChildCost> RunAsync(ProcessStartInfo start, TimeSpan deadline)
    {
        start.UseShellExecute = false;
        start.RedirectStandardOutput = start.RedirectStandardError = true;
        // Debian's rclone trusts only what this names; everything here is loopback and plain.
        start.Environment.Remove("AWS_CA_BUNDLE");
        var before = ChildrenCpu();
        var clock = Stopwatch.StartNew();
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        var peak = 0.0;
        using var late = new CancellationTokenSource(deadline);
        var ended = process.WaitForExitAsync(CancellationToken.None);
        while (await Task.WhenAny(ended, Task.Delay(20)) != ended)
        {
            peak = Math.Max(peak, PeakOf(process.Id));
            if (late.IsCancellationRequested)
                process.Kill(entireProcessTree: true);
        }

        await ended;
        return new(clock.Elapsed.TotalSeconds, ChildrenCpu() - before, peak, late.IsCancellationRequested ? -1 : process.ExitCode, await output + await errors);
    }

    private static double PeakOf(int process)
    {
        try
        {
            var line = File.ReadLines($"/proc/{process}/status").FirstOrDefault(line => line.StartsWith("VmHWM:", StringComparison.Ordinal));
            return line is null ? 0 : double.Parse(line.AsSpan(6).Trim().TrimEnd(" kB"), CultureInfo.InvariantCulture) / 1024;
        }
        catch (IOException)
        {
            return 0;
        }
    }

    private static unsafe double ChildrenCpu()
    {
        // struct rusage: user and system time as seconds and microseconds, and fourteen counters.
        var usage = stackalloc long[18];
        return GetUsage(ChildrenThatEnded, usage) == 0 ? usage[0] + usage[2] + ((usage[1] + usage[3]) / 1e6) : double.NaN;
    }

    [DllImport("libc", EntryPoint = "getrusage")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern unsafe int GetUsage(int who, long* usage);
}
