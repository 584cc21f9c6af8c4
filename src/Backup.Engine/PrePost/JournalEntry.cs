using System.Text.Json.Serialization;

namespace Backup.Engine.PrePost;

/// <summary>Who drives a run.</summary>
/// <param name="Id">Its own, made anew each time.</param>
/// <param name="Host">The machine.</param>
/// <param name="ProcessId">The process there.</param>
/// <param name="ProcessStarted">When that process began: ids are used again.</param>
/// <param name="Place">Where process ids mean the same: containers and machines may share a name. Null where that cannot be told.</param>
internal sealed record Runner(string Id, string Host, int ProcessId, DateTimeOffset ProcessStarted, string? Place = null)
{
    private const string BootId = "/proc/sys/kernel/random/boot_id";
    private const string ProcessNamespace = "/proc/self/ns/pid";

    /// <summary>This process.</summary>
    public static Runner Current()
    {
        using var process = System.Diagnostics.Process.GetCurrentProcess();
        return new(Guid.NewGuid().ToString("N"), Environment.MachineName, Environment.ProcessId, new DateTimeOffset(process.StartTime.ToUniversalTime()), ThisPlace());
    }

    /// <summary>Whether it is certain that this runner is gone, or that it is there; null where it is on another machine.</summary>
    public bool? IsAlive()
    {
        if (!string.Equals(Host, Environment.MachineName, StringComparison.OrdinalIgnoreCase) || !string.Equals(Place, ThisPlace(), StringComparison.Ordinal))
            return null;
        try
        {
            using var process = System.Diagnostics.Process.GetProcessById(ProcessId);
            return (process.StartTime.ToUniversalTime() - ProcessStarted.UtcDateTime).Duration() < TimeSpan.FromSeconds(5);
        }
        catch (Exception exception) when (exception is ArgumentException or InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }

    // This boot of this kernel, and the namespace that a container may have (proc(5), pid_namespaces(7)).
    private static string? ThisPlace()
    {
        try
        {
            return File.Exists(BootId) ? $"{File.ReadAllText(BootId).Trim()} {new FileInfo(ProcessNamespace).LinkTarget}" : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}

/// <summary>One entry of a journal: what was about to be done, or what came of it.</summary>
internal sealed record JournalEntry
{
    public const int CurrentFormat = 1;

    public int Format { get; init; } = CurrentFormat;

    public required string RunId { get; init; }

    public required long Number { get; init; }

    public required Runner Runner { get; init; }

    public required DateTimeOffset Time { get; init; }

    /// <summary>In the first entry.</summary>
    public PrePostPlan? Plan { get; init; }

    /// <summary>The runner has let go of the run, which is not over.</summary>
    public bool IsReleased { get; init; }

    /// <summary>The instances of which something is new.</summary>
    public IReadOnlyList<InstanceRecord> Instances { get; init => field = value ?? []; } = [];
}

/// <summary>A journal read from its beginning, or the report that closes it.</summary>
internal sealed record JournalState
{
    public int Format { get; init; } = JournalEntry.CurrentFormat;

    public required string RunId { get; init; }

    public required PrePostPlan Plan { get; init; }

    public required IReadOnlyList<InstanceRecord> Instances { get; init; }

    public required Runner Runner { get; init; }

    public required DateTimeOffset LastActivity { get; init; }

    /// <summary>The number of the last entry.</summary>
    public long Number { get; init; }

    /// <summary>Whether its runner has let go of it.</summary>
    [JsonIgnore]
    public bool IsReleased { get; init; }

    /// <summary>Whether this is the report: the run is over.</summary>
    [JsonIgnore]
    public bool IsClosed { get; init; }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true,
    WriteIndented = true)]
[JsonSerializable(typeof(JournalEntry))]
[JsonSerializable(typeof(JournalState))]
internal sealed partial class JournalJson : JsonSerializerContext;
