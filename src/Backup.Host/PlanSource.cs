using Backup.Engine;
using Backup.Engine.Plans;
using Backup.Engine.Stores;

namespace Backup.Host;

/// <summary>A plan wherever it is: a file, or an object in S3.</summary>
internal static class PlanSource
{
    private const string Scheme = "s3://";

    /// <summary>Reads it. What an object in S3 names by a relative path is relative to the current directory.</summary>
    /// <exception cref="BackupException">It cannot be read, or is no plan.</exception>
    public static async Task<BackupPlan> LoadAsync(string place, StoreOptions options, CancellationToken cancellationToken)
    {
        if (!place.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
            return PlanFile.Load(place);
        var slash = place.IndexOf('/', Scheme.Length);
        if (slash < 0 || slash == place.Length - 1)
            throw new BackupException(FailureKind.InvalidInput, $"'{place}' is a bucket, and no plan in it.", "Give s3://bucket/path/plan.yaml.");
        await using var store = await ObjectStores.OpenAsync(StoreLocation.ForBucket(place[Scheme.Length..slash]), options, cancellationToken);
        await using var content = await store.ReadAsync(place[(slash + 1)..], cancellationToken: cancellationToken);
        // One byte more than there may be tells that there are more.
        var bytes = new byte[PlanLimits.MaxBytes + 1];
        var length = await content.Stream.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancellationToken);
        return PlanFile.Parse(bytes.AsSpan(0, length), place, Environment.CurrentDirectory);
    }
}
