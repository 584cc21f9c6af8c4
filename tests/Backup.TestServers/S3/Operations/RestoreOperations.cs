using System.Globalization;
using Backup.TestServers.S3.Http;
using Backup.TestServers.S3.Storage;

namespace Backup.TestServers.S3.Operations;

/// <summary>Archived objects: asking for a temporary copy, and what reads may see of it.</summary>
internal static class RestoreOperations
{
    public static async Task RestoreObject(S3Call call)
    {
        var bucket = call.Bucket();
        var (root, _, _) = await call.ReceiveXmlAsync("RestoreRequest");
        if (!int.TryParse(root.Child("Days")?.Value.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var days) || days < 1)
            throw S3Error.MalformedXml();
        var tier = (root.Child("GlacierJobParameters")?.Child("Tier") ?? root.Child("Tier"))?.Value.Trim() ?? "Standard";
        if (tier is not ("Standard" or "Bulk" or "Expedited"))
            throw S3Error.MalformedXml();
        int status;
        lock (bucket.Gate)
            status = Restore(call, VersionLookup.Find(bucket, call.Key, call.Request.VersionId, call.Request.Method), days, tier);
        await call.RespondAsync(status);
    }

    /// <summary>The copy that can be read now, if there is one.</summary>
    public static RestoredCopy? Copy(ObjectVersion version, DateTime now) =>
        version.Restore is { } copy && copy.Ready <= now && now < copy.Expires ? copy : null;

    public static bool IsReadable(ObjectVersion version, DateTime now) => !version.IsArchived || Copy(version, now) is not null;

    /// <summary>The x-amz-restore header: absent when there is nothing to say.</summary>
    public static string? Header(ObjectVersion version, DateTime now)
    {
        if (version.Restore is not { } restore || now >= restore.Expires)
            return null;
        return now < restore.Ready
            ? "ongoing-request=\"true\""
            : $"ongoing-request=\"false\", expiry-date=\"{restore.Expires.ToString("r", CultureInfo.InvariantCulture)}\"";
    }

    private static int Restore(S3Call call, ObjectVersion version, int days, string tier)
    {
        var options = call.Services.Options;
        var now = call.Services.Clock.StorageNow;
        if (!version.IsArchived)
        {
            throw new S3Error(403, "InvalidObjectState", "Restore is not allowed for the object's current storage class")
                .With("StorageClass", version.StorageClass);
        }

        if (version.StorageClass is "DEEP_ARCHIVE" && tier is "Expedited")
            throw S3Error.InvalidArgument("Retrieval option is not supported by this storage class", "Tier", tier);
        if (Copy(version, now) is { } copy)
        {
            version.Restore = copy with { Expires = Expiry(now, days, options.RestoreDay) };
            return 200;
        }

        if (version.Restore is { } restore && now < restore.Ready)
            throw new S3Error(409, "RestoreAlreadyInProgress", "Object restore is already in progress");
        var ready = now + options.RestoreDelay;
        version.Restore = new RestoredCopy(ready, Expiry(ready, days, options.RestoreDay));
        return 202;
    }

    private static DateTime Expiry(DateTime from, int days, TimeSpan day)
    {
        var expiry = from + (days * day);
        return day == TimeSpan.FromDays(1) ? expiry.Date.AddDays(1) : expiry;
    }
}
