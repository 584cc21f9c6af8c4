using System.Globalization;
using Backup.TestServers.S3.Http;
using Backup.TestServers.S3.Storage;

namespace Backup.TestServers.S3.Operations;

internal static class Preconditions
{
    /// <summary>If-None-Match: * and If-Match before a write. Called under the bucket's gate.</summary>
    public static void CheckWrite(S3Call call, S3Bucket bucket)
    {
        var current = bucket.Current(call.Key) is { IsDeleteMarker: false } version ? version : null;
        if (call.Request.Header("if-none-match") is { } none && !call.Services.Options.IgnoreConditions)
        {
            if (none is not "*")
                throw S3Error.NotImplemented("If-None-Match");
            if (current is not null)
                throw S3Error.PreconditionFailed("If-None-Match");
        }

        if (call.Request.Header("if-match") is { } match)
        {
            if (current is null)
                throw S3Error.NoSuchKey(call.Key);
            if (!Matches(match, current))
                throw S3Error.PreconditionFailed("If-Match");
        }
    }

    public static void CheckRead(S3Call call, ObjectVersion version)
    {
        if (call.Request.Header("if-match") is { } match && !Matches(match, version))
            throw S3Error.PreconditionFailed("If-Match");
        if (call.Request.Header("if-match") is null && Date(call, "if-unmodified-since") is { } unmodified && Seconds(version) > unmodified)
            throw S3Error.PreconditionFailed("If-Unmodified-Since");
        if (call.Request.Header("if-none-match") is { } none)
        {
            if (Matches(none, version))
                throw NotModified(version);
        }
        else if (Date(call, "if-modified-since") is { } since && Seconds(version) <= since)
        {
            throw NotModified(version);
        }
    }

    public static bool Matches(string header, ObjectVersion version) =>
        header is "*" || header.Split(',', StringSplitOptions.TrimEntries).Any(tag => tag.Trim('"').Equals(version.ETag, StringComparison.Ordinal));

    private static S3Error NotModified(ObjectVersion version) => new S3Error(304, "NotModified", "Not Modified").WithHeader("ETag", version.QuotedETag);

    private static DateTime? Date(S3Call call, string header) =>
        DateTimeOffset.TryParse(call.Request.Header(header), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var date) ? date.UtcDateTime : null;

    private static DateTime Seconds(ObjectVersion version) => new(version.LastModified.Ticks / TimeSpan.TicksPerSecond * TimeSpan.TicksPerSecond, DateTimeKind.Utc);
}
