using Backup.Engine.Stores;
using Backup.Engine.Stores.S3;

namespace Backup.Engine.Plans;

/// <summary>Looks at a destination without writing to it.</summary>
internal static class DestinationChecks
{
    private const long LittleSpace = 1L << 30;

    /// <summary>Looks.</summary>
    public static async Task CheckAsync(JobContext job, JobChecks checks, CancellationToken cancellationToken)
    {
        var location = job.RequiredDestination;
        if (location.IsS3)
            await CheckBucketAsync(job, location, checks, cancellationToken);
        else
            await CheckDirectoryAsync(location, checks, cancellationToken);
    }

    /// <summary>Looks at how much is free where a directory is, or will be.</summary>
    public static void CheckSpace(string what, string directory, JobChecks checks)
    {
        try
        {
            var drive = new DriveInfo(Existing(directory));
            var free = drive.AvailableFreeSpace;
            if (free < LittleSpace)
                checks.Warning("Space", $"{what} '{directory}' has {Reports.Words.Size(free)} left.", "Free space there, or take another place.");
            else
                checks.Passed("Space", $"{what} '{directory}' has {Reports.Words.Size(free)} left.");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            checks.NotChecked("Space", $"The space at '{directory}' cannot be found out: {exception.Message}");
        }
    }

    /// <summary>Looks whether a directory is there, or can be made, and may be written to; null where it may.</summary>
    public static BackupException? WhyNotWritable(string directory)
    {
        var existing = Existing(directory);
        if (!Directory.Exists(existing))
            return new(FailureKind.InvalidInput, $"'{existing}' is no directory.", "Name another place.");
        return OperatingSystem.IsWindows() || UnixAccess.IsWritable(existing)
            ? null
            : new(FailureKind.PermissionDenied, $"This account ({Environment.UserName}) may not write to '{existing}'.", "Change the directory's owner or mode, or run as another account.");
    }

    private static async Task CheckBucketAsync(JobContext job, StoreLocation location, JobChecks checks, CancellationToken cancellationToken)
    {
        await using var store = S3ObjectStore.Open(location, job.Store);
        var isThere = await checks.TryAsync(
            "Destination",
            async () =>
            {
                await store.CheckAsync(forWriting: false, cancellationToken);
                return $"{location} can be listed.";
            },
            cancellationToken);
        if (!isThere)
            return;
        var bucket = await store.DescribeBucketAsync(cancellationToken);
        if (bucket.IsVersioned is not { } versioned)
            checks.NotChecked("Versions", $"s3://{location.Bucket} does not say whether it keeps versions.", "On AWS allow s3:GetBucketVersioning to have it checked.");
        else if (versioned)
            checks.Passed("Versions", $"s3://{location.Bucket} keeps versions.");
        else
            checks.Warning("Versions", $"s3://{location.Bucket} does not keep versions: what is overwritten or deleted is gone.", "Switch versioning on, with a lifecycle rule that ends old versions; module/templates/backup-bucket.yaml has both.");
        if (job.Store.ObjectLockMode is { } mode)
            CheckLock(location, mode, bucket, checks);
        checks.NotChecked("Write", "Whether objects may be written is only known by writing one. Each run finds out before it asks anything of a source.");
    }

    private static void CheckLock(StoreLocation location, string mode, BucketFacts bucket, JobChecks checks)
    {
        if (bucket.HasObjectLock is not { } locks)
            checks.NotChecked("Lock", $"s3://{location.Bucket} does not say whether it has Object Lock.", "On AWS allow s3:GetBucketObjectLockConfiguration to have it checked.");
        else if (locks)
            checks.Passed("Lock", $"s3://{location.Bucket} has Object Lock.");
        else
            checks.Failed("Lock", new BackupException(FailureKind.NotSupported, $"The plan asks for Object Lock ({mode}), and s3://{location.Bucket} does not have it.", "Take objectLockMode and objectLockDays out, or a bucket that was made with Object Lock."));
    }

    private static async Task CheckDirectoryAsync(StoreLocation location, JobChecks checks, CancellationToken cancellationToken)
    {
        var directory = location.Directory!;
        if (!Directory.Exists(directory) && !File.Exists(directory) && Directory.Exists(Path.GetDirectoryName(directory)))
        {
            if (WhyNotWritable(directory) is { } why)
                checks.Failed("Destination", why);
            else
                checks.Warning("Destination", $"The directory '{directory}' does not exist; the first run makes it.", "If it is on a drive that is mounted, mount it: otherwise the backup goes to the disk below.");
            return;
        }

        var isThere = await checks.TryAsync(
            "Destination",
            async () =>
            {
                await using var store = await ObjectStores.OpenAsync(location, cancellationToken: cancellationToken);
                await store.CheckAsync(forWriting: false, cancellationToken);
                return WhyNotWritable(directory) is { } why ? throw why : $"The directory '{directory}' is there{(OperatingSystem.IsWindows() ? "" : " and may be written to")}.";
            },
            cancellationToken);
        if (isThere)
            CheckSpace("The destination", directory, checks);
    }

    private static string Existing(string directory)
    {
        var existing = directory;
        while (!Path.Exists(existing) && Path.GetDirectoryName(existing) is { } parent)
            existing = parent;
        return existing;
    }
}
