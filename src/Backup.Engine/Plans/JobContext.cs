using System.Collections.Concurrent;
using Backup.Engine.Aws;
using Backup.Engine.Stores;

namespace Backup.Engine.Plans;

/// <summary>A job, and what it runs in.</summary>
internal sealed record JobContext
{
    private const long LargestFile = 1 << 20;

    private readonly ConcurrentDictionary<string, Lazy<Task<string?>>> _secrets = new(StringComparer.Ordinal);

    /// <summary>The job.</summary>
    public required PlanJob Job { get; init; }

    /// <summary>What it says; behind it what the plan says for all.</summary>
    public PlanValues Values => Job.Values;

    /// <summary>What goes before the plan's own credentials, region and endpoint, but not before the job's.</summary>
    public AwsOptions Given { get; init; } = new();

    /// <summary>Say what would be done, and change nothing.</summary>
    public bool WhatIf { get; init; }

    /// <summary>How many jobs run side by side: they share memory and line.</summary>
    public int SideBySide { get; init; } = 1;

    /// <summary>How stores are opened, but for what the plan says of them.</summary>
    public StoreOptions BaseStore { get; init; } = new();

    public CallbackLogger? Logger { get; init; }

    public IProgress<BackupProgress>? Progress { get; init; }

    /// <summary>Credentials, region and endpoint of the store.</summary>
    public AwsOptions Aws => PlanAws.OfStore(Values, Given);

    /// <summary>How the other services are reached.</summary>
    public AwsOptions Services => PlanAws.OfServices(Values, Given);

    /// <summary>How the store is opened.</summary>
    /// <exception cref="BackupException"><see cref="FailureKind.InvalidInput"/> where the job and the plan together do not fit.</exception>
    public StoreOptions Store => Checked(BaseStore with
    {
        Aws = Aws,
        MaxBandwidth = Values.Has("maxBandwidth") ? Values.Whole("maxBandwidth") : Values.Whole("maxBandwidth") is { } all ? Math.Max(1, all / SideBySide) : null,
        MemoryBudget = Math.Max(32L << 20, BaseStore.MemoryBudget / SideBySide),
        ServerSideEncryption = Values.Text("serverSideEncryption"),
        KmsKeyId = Values.Text("kmsKeyId"),
        ObjectLockMode = Values.Text("objectLockMode"),
        ObjectLockDays = (int)(Values.Whole("objectLockDays") ?? 0),
        Logger = Logger,
    });

    /// <summary>Whether anything of it goes to S3: a bucket a folder is one, too.</summary>
    public bool UsesS3 => Destination?.IsS3 ?? Values.Has("bucketPrefix");

    /// <summary>Where the backup goes, or null where nothing says so.</summary>
    public StoreLocation? Destination => Values.Text("destination") is { } text ? StoreLocation.Parse(text, Job.BaseDirectory) : null;

    /// <summary>Where the backup goes.</summary>
    /// <exception cref="BackupException"><see cref="FailureKind.InvalidInput"/> where nothing says so.</exception>
    public StoreLocation RequiredDestination => Destination
        ?? throw new BackupException(FailureKind.InvalidInput, $"The job '{Job.Name}' has no destination.", "Add 'destination' to the job, or to the top of the plan for all jobs.");

    /// <summary>A path of the plan: relative to the file that it stands in.</summary>
    public string PathOf(string path) => Path.GetFullPath(path, Job.BaseDirectory);

    /// <summary>The text of a file that the plan names.</summary>
    public string ReadText(string path)
    {
        var file = PathOf(path);
        try
        {
            return new FileInfo(file).Length <= LargestFile ? File.ReadAllText(file) : throw new BackupException(FailureKind.InvalidInput, $"'{file}' is larger than 1 MiB.", "Name another file.");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new BackupException(BackupException.From(exception).Kind, $"'{file}' cannot be read: {exception.Message}", "Check the path; a relative one is relative to the plan.", exception);
        }
    }

    /// <summary>Fetches a secret, the first time that it is asked for; null where the job names none.</summary>
    public Task<string?> RevealAsync(string name, CancellationToken cancellationToken) =>
        _secrets.GetOrAdd(name, _ => new(async () => Values.Secret(name) is { } secret ? await secret.ResolveAsync(Services, Job.BaseDirectory, Logger, cancellationToken) : null)).Value;

    // A job may say one half and the plan the other, so this is known here only.
    private static StoreOptions Checked(StoreOptions store)
    {
        if (store.ObjectLockMode is null != (store.ObjectLockDays == 0))
            throw new BackupException(FailureKind.InvalidInput, "'objectLockMode' and 'objectLockDays' belong together.", "Add the other one to the job or to the plan, or take this one out.");
        return store.KmsKeyId is not null && store.ServerSideEncryption is null or "AES256"
            ? throw new BackupException(FailureKind.InvalidInput, "'kmsKeyId' needs 'serverSideEncryption' aws:kms or aws:kms:dsse.", "Add it, or take the key out.")
            : store;
    }
}
