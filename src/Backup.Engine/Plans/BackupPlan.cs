using Backup.Engine.Stores;

namespace Backup.Engine.Plans;

/// <summary>What a plan file says. It holds no secret, only where each is kept.</summary>
public sealed record BackupPlan
{
    internal BackupPlan(string file, string baseDirectory, PlanValues values, IReadOnlyList<PlanJob> jobs) => (File, BaseDirectory, Values, Jobs) = (file, baseDirectory, values, jobs);

    /// <summary>The file, or what the plan is called where it came from elsewhere.</summary>
    public string File { get; }

    /// <summary>The file's name without its extension.</summary>
    public string Name => Path.GetFileNameWithoutExtension(File);

    /// <summary>The jobs, in the order of the file; those that are switched off as well.</summary>
    public IReadOnlyList<PlanJob> Jobs { get; }

    /// <summary>How many jobs run side by side.</summary>
    public int Throttle => (int)(Values.Whole("throttle") ?? PlanShapes.DefaultThrottle);

    internal string BaseDirectory { get; }

    internal PlanValues Values { get; }

    /// <inheritdoc/>
    public override string ToString() => File;
}

/// <summary>One thing that a plan backs up.</summary>
public sealed record PlanJob
{
    internal PlanJob(PlanSystem engine, PlanValues values, string baseDirectory) => (Engine, Values, BaseDirectory) = (engine, values, baseDirectory);

    /// <summary>Its name, unique in the plan.</summary>
    public string Name => Values.Text("name")!;

    /// <summary>folders, confluence, jira, github, maven or ec2: the word that the catalog uses.</summary>
    public string System => Engine.Name;

    /// <summary>Whether it runs.</summary>
    public bool Enabled => Values.Flag("enabled") ?? true;

    /// <summary>Where its backups go, or null where each folder has a bucket of its own, or a configuration says it.</summary>
    public string? Destination => Values.Has("bucketPrefix") || Values.Text("destination") is not { } text ? null : Full(text);

    internal PlanSystem Engine { get; }

    internal PlanValues Values { get; }

    internal string BaseDirectory { get; }

    /// <inheritdoc/>
    public override string ToString() => Name;

    // What is no destination is told when the job runs.
    private string Full(string text)
    {
        try
        {
            return StoreLocation.Parse(text, BaseDirectory).ToString();
        }
        catch (Exception exception) when (exception is BackupException or ArgumentException or IOException)
        {
            return text;
        }
    }
}
