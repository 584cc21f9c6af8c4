using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Benchmarks;

/// <summary>Where and with what the figures were made.</summary>
internal static class Machine
{
    public static string Describe(IReadOnlyList<Contestant> contestants)
    {
        var memory = Field("/proc/meminfo", "MemTotal")?.Split(' ')[0];
        var text = new StringBuilder()
            .AppendLine(CultureInfo.InvariantCulture, $"{DateTime.UtcNow:yyyy-MM-dd}; {Field("/proc/cpuinfo", "model name") ?? RuntimeInformation.ProcessArchitecture.ToString()}, {Environment.ProcessorCount} processors, {(memory is null ? "?" : (long.Parse(memory, CultureInfo.InvariantCulture) >> 20).ToString(CultureInfo.InvariantCulture))} GiB; {RuntimeInformation.OSDescription.Split(' ')[0]}, {RuntimeInformation.FrameworkDescription}. Load before the start: {Load()}.\n");
        foreach (var one in contestants.DistinctBy(one => one.File ?? one.Name, StringComparer.Ordinal))
            text.AppendLine($"- {one.Name}: {one.Version}");
        return text.AppendLine().ToString();
    }

    private static string Load() => File.Exists("/proc/loadavg") ? File.ReadAllText("/proc/loadavg").Split(' ')[0] : "?";

    private static string? Field(string file, string name) =>
        File.Exists(file) && File.ReadLines(file).FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal)) is { } line ? line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim() : null;
}
