using System.Globalization;
using System.Text;
using Backup.TestServers.S3.Auth;
using Backup.TestServers.S3.Http;
using Backup.TestServers.S3.Storage;

namespace Backup.TestServers.S3.Operations;

/// <summary>The headers an object is stored with and given back with.</summary>
internal static class ObjectHeaders
{
    public const string LockMode = "x-amz-object-lock-mode";
    public const string LockUntil = "x-amz-object-lock-retain-until-date";
    public const string LegalHold = "x-amz-object-lock-legal-hold";
    public const string Encryption = "x-amz-server-side-encryption";

    private const int LargestMetadata = 2048;
    private const int LongestKey = 1024;

    private static readonly string[] Kept =
    [
        "content-type", "cache-control", "content-disposition", "content-language", "expires", "x-amz-website-redirect-location",
        LockMode, LockUntil, LegalHold, Encryption, "x-amz-server-side-encryption-aws-kms-key-id", "x-amz-server-side-encryption-bucket-key-enabled",
    ];

    public static void CheckKey(string key)
    {
        var length = Encoding.UTF8.GetByteCount(key);
        if (length > LongestKey)
        {
            throw new S3Error(400, "KeyTooLongError", "Your key is too long")
                .With("Size", length.ToString())
                .With("MaxSizeAllowed", LongestKey.ToString());
        }
    }

    /// <summary>What the request says the object is to be stored with.</summary>
    public static Dictionary<string, string> Of(S3Request request, S3Bucket bucket)
    {
        var headers = new Dictionary<string, string>(StringComparer.Ordinal) { ["content-type"] = "binary/octet-stream", [Encryption] = "AES256" };
        foreach (var name in Kept)
        {
            if (request.Header(name) is { } value)
                headers[name] = value;
        }

        if (request.Header("content-encoding") is { } encodings)
        {
            var kept = encodings.Split(',', StringSplitOptions.TrimEntries).Where(e => e is not "aws-chunked");
            if (string.Join(',', kept) is { Length: > 0 } encoding)
                headers["content-encoding"] = encoding;
        }

        var size = 0;
        foreach (var (name, value) in request.HeadersStarting("x-amz-meta-"))
        {
            headers[name] = value;
            size += name.Length - "x-amz-meta-".Length + Encoding.UTF8.GetByteCount(value);
        }

        if (size > LargestMetadata)
        {
            throw new S3Error(400, "MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size")
                .With("Size", size.ToString())
                .With("MaxSizeAllowed", LargestMetadata.ToString());
        }

        CheckLock(headers, bucket);
        return headers;
    }

    public static IReadOnlyList<KeyValuePair<string, string>> Tags(string? header) => header is null
        ? []
        : [.. header.Split('&', StringSplitOptions.RemoveEmptyEntries).Select(pair => pair.Split('=', 2)).Select(p => KeyValuePair.Create(Form(p[0]), p.Length > 1 ? Form(p[1]) : ""))];

    public static void Give(S3Call call, ObjectVersion version)
    {
        foreach (var (name, value) in version.Headers)
            call.SetHeader(name, name.StartsWith("x-amz-meta-", StringComparison.Ordinal) ? Rfc2047(value) : value);
        if (version.StorageClass is not "STANDARD")
            call.SetHeader("x-amz-storage-class", version.StorageClass);
        if (version.Tags.Count > 0)
            call.SetHeader("x-amz-tagging-count", version.Tags.Count.ToString());
        call.SetHeader("Last-Modified", version.LastModified.ToString("r", CultureInfo.InvariantCulture));
        call.SetHeader("Accept-Ranges", "bytes");
        call.SetHeader("ETag", call.ETag(version.ETag));
    }

    public static void GiveEncryption(S3Call call, IReadOnlyDictionary<string, string> headers)
    {
        foreach (var (name, value) in headers.Where(h => h.Key.StartsWith(Encryption, StringComparison.Ordinal)))
            call.SetHeader(name, value);
    }

    /// <summary>With KMS the ETag is not the MD5, and clients must not take it for one.</summary>
    public static string ETagOf(string md5, IReadOnlyDictionary<string, string> headers) =>
        headers[Encryption] is "AES256" ? md5 : SignatureV4.HexHash(Encoding.UTF8.GetBytes(md5))[..32];

    public static bool IsLocked(ObjectVersion version, DateTime now) =>
        version.Headers.GetValueOrDefault(LegalHold) is "ON"
        || (version.Headers.GetValueOrDefault(LockUntil) is { } until
            && DateTimeOffset.TryParse(until, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var when)
            && when.UtcDateTime > now);

    private static void CheckLock(Dictionary<string, string> headers, S3Bucket bucket)
    {
        var asked = headers.ContainsKey(LockMode) || headers.ContainsKey(LockUntil) || headers.ContainsKey(LegalHold);
        if (asked && !bucket.ObjectLock)
            throw S3Error.InvalidRequest("Bucket is missing Object Lock Configuration");
        if (headers.ContainsKey(LockMode) != headers.ContainsKey(LockUntil))
        {
            throw S3Error.InvalidArgument(
                "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied", LockMode, headers.GetValueOrDefault(LockMode, ""));
        }
    }

    private static string Form(string text) => Encoding.UTF8.GetString(UriText.Decode(text, plusIsSpace: true));

    private static string Rfc2047(string value) =>
        value.All(char.IsAscii) ? value : $"=?UTF-8?B?{Convert.ToBase64String(Encoding.UTF8.GetBytes(value))}?=";
}
