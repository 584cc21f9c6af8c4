using System.Net;
using System.Xml;

namespace Backup.Engine.Stores.S3;

/// <summary>An error as S3 says it: an HTTP status and, but for HEAD, an XML document (https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html).</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Code">S3's own word; where there was no body, one that fits the status.</param>
/// <param name="Message">S3's own sentence, or null.</param>
/// <param name="Region">The region that the bucket is in, where S3 said it.</param>
/// <param name="HasBody">Whether <paramref name="Code"/> is S3's word or was made from the status.</param>
internal sealed record S3Error(HttpStatusCode Status, string Code, string? Message, string? Region, bool HasBody)
{
    /// <summary>Reads an error document.</summary>
    public static S3Error Parse(HttpStatusCode status, string body, string? region) => Parse(status, XmlFields.Read(body), region);

    /// <summary>The error in the body of an answer that began as a success, as CompleteMultipartUpload and DeleteObjects may give it, or null.</summary>
    public static S3Error? InSuccess(HttpStatusCode status, byte[] body)
    {
        var start = body.AsSpan().TrimStart(" \t\r\n"u8);
        if (!start.StartsWith("<"u8))
            return null;
        var fields = XmlFields.Read(System.Text.Encoding.UTF8.GetString(start));
        return fields.Root() == "Error" ? Parse(status, fields, null) : null;
    }

    private static S3Error Parse(HttpStatusCode status, Dictionary<string, string> fields, string? region)
    {
        var code = fields.GetValueOrDefault("Code");
        return new(status, code ?? FromStatus(status), fields.GetValueOrDefault("Message"), fields.GetValueOrDefault("Region") ?? region, code is not null);
    }

    /// <summary>Whether the same request may succeed if it is sent again.</summary>
    public bool IsTransient => (int)Status >= 500 && Code is not "NotImplemented"
        || Status is HttpStatusCode.TooManyRequests or HttpStatusCode.RequestTimeout
        || Code is "RequestTimeout" or "SlowDown" or "InternalError" or "ServiceUnavailable" or "OperationAborted" or "ConditionalRequestConflict" or "IncompleteBody"
        // The bytes were damaged on the way: they are still whole here.
        || Kind == FailureKind.ChecksumMismatch;

    /// <summary>Whether fewer requests are asked for.</summary>
    public bool IsThrottle => Kind == FailureKind.Throttled;

    /// <summary>Whether the keys were good once.</summary>
    public bool IsExpired => Kind == FailureKind.CredentialsExpired;

    /// <summary>The engine's word for it.</summary>
    public FailureKind Kind => Code switch
    {
        "NoSuchBucket" or "NoSuchKey" or "NoSuchVersion" or "NoSuchUpload" or "NotFound" => FailureKind.NotFound,
        "InvalidAccessKeyId" or "SignatureDoesNotMatch" or "AuthFailure" or "MissingSecurityHeader" => FailureKind.AuthenticationFailed,
        "ExpiredToken" or "TokenRefreshRequired" or "InvalidToken" or "ExpiredTokenException" => FailureKind.CredentialsExpired,
        "AccessDenied" or "AllAccessDisabled" or "AccountProblem" or "InvalidPayer" or "Forbidden" or "RequestTimeTooSkewed" => FailureKind.PermissionDenied,
        "PermanentRedirect" or "AuthorizationHeaderMalformed" or "IllegalLocationConstraintException" => FailureKind.WrongRegion,
        "BucketAlreadyExists" => FailureKind.WrongOwner,
        "BucketAlreadyOwnedByYou" or "PreconditionFailed" => FailureKind.AlreadyExists,
        "InvalidObjectState" => FailureKind.Archived,
        "BadDigest" or "InvalidDigest" or "XAmzContentSHA256Mismatch" or "XAmzContentChecksumMismatch" => FailureKind.ChecksumMismatch,
        "SlowDown" or "Throttling" or "ThrottlingException" or "RequestLimitExceeded" or "TooManyRequests" or "BandwidthLimitExceeded" => FailureKind.Throttled,
        "RequestTimeout" => FailureKind.TimedOut,
        "NotImplemented" or "MethodNotAllowed" => FailureKind.NotSupported,
        "QuotaExceeded" or "XMinioStorageFull" => FailureKind.NoSpace,
        "InternalError" or "ServiceUnavailable" => FailureKind.Unavailable,
        _ when (int)Status >= 500 => FailureKind.Unavailable,
        _ when Status == HttpStatusCode.TooManyRequests => FailureKind.Throttled,
        _ when (int)Status is >= 400 and < 500 => FailureKind.InvalidInput,
        _ => FailureKind.Unknown,
    };

    /// <summary>The failure to report.</summary>
    /// <param name="what">The bucket or object, as <c>s3://bucket/key</c>.</param>
    /// <param name="bucket">The bucket.</param>
    /// <param name="signedRegion">The region that the request was signed for.</param>
    /// <param name="storageClass">The storage class that was asked for, or null.</param>
    public BackupException ToException(string what, string bucket, string signedRegion, string? storageClass = null)
    {
        var said = Message is null ? $"{Code} ({(int)Status})" : $"{Code}: {Message.TrimEnd('.')}";
        var (message, advice) = Kind switch
        {
            FailureKind.NotFound when Code == "NoSuchBucket" => ($"The bucket '{bucket}' does not exist.", "Create it, or check the name, the region and the endpoint."),
            FailureKind.NotFound when Code == "NoSuchUpload" => ($"The upload of '{what}' was removed while it was under way ({Code}).", "Something else aborts uploads in this bucket, or a lifecycle rule is too short: run again."),
            FailureKind.NotFound => ($"'{what}' does not exist.", null),
            FailureKind.AuthenticationFailed => ($"The credentials were refused ({said}).", "Check the access key and its secret, -ProfileName and the endpoint."),
            FailureKind.CredentialsExpired => ($"The credentials have expired ({said}).", "Sign in again ('aws sso login') or renew the keys, then run again: what is stored stays stored."),
            FailureKind.PermissionDenied when Code == "RequestTimeTooSkewed" => ($"This machine's clock differs too much from the store's ({said}).", "Set the clock."),
            FailureKind.PermissionDenied => ($"Access to '{what}' was denied ({said}).", $"The bucket '{bucket}' may belong to another account, or the credentials' policy lacks the permission."),
            FailureKind.WrongRegion => ($"The bucket '{bucket}' is not in {signedRegion}{(Region is null ? "" : $" but in {Region}")} ({Code}).", Region is null ? "Give the bucket's own -Region." : $"Give -Region {Region}."),
            FailureKind.WrongOwner => ($"The bucket name '{bucket}' is taken by another account ({Code}).", "Choose another bucket name: they are global."),
            FailureKind.Archived => ($"'{what}' is archived and cannot be read ({Code}).", "Restore it first (Restore-FolderFromS3 -Wait), which takes hours."),
            FailureKind.AlreadyExists => ($"'{what}' exists already ({Code}).", null),
            FailureKind.InvalidInput when Code == "InvalidStorageClass" => ($"The storage class '{storageClass}' is not known to the store of '{bucket}' ({said}).", "Give one of STANDARD, STANDARD_IA, ONEZONE_IA, INTELLIGENT_TIERING, GLACIER_IR, GLACIER, DEEP_ARCHIVE."),
            FailureKind.ChecksumMismatch => ($"'{what}' arrived damaged, at every attempt ({said}).", "Something between here and the store changes data: check the network and its proxies."),
            FailureKind.Throttled => ($"The store asked to slow down, and went on asking ({said}).", "Run again later, or set -MaxBandwidth."),
            FailureKind.Unavailable => ($"The store could not serve '{what}' ({said}).", "Run again later: what is stored stays stored."),
            _ => ($"'{what}' was refused ({said}).", null),
        };
        return new(Kind, message, advice);
    }

    private static string FromStatus(HttpStatusCode status) => (int)status switch
    {
        301 => "PermanentRedirect",
        403 => "AccessDenied",
        404 => "NoSuchKey",
        405 => "MethodNotAllowed",
        409 => "OperationAborted",
        412 => "PreconditionFailed",
        416 => "InvalidRange",
        307 => "TemporaryRedirect",
        429 => "TooManyRequests",
        501 => "NotImplemented",
        503 => "ServiceUnavailable",
        _ => status.ToString(),
    };
}

/// <summary>The leaves of a small XML document by their local name; the first of each name counts.</summary>
internal static class XmlFields
{
    /// <summary>Reads them. What is no XML has no fields.</summary>
    public static Dictionary<string, string> Read(string xml)
    {
        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        if (!xml.AsSpan().TrimStart().StartsWith("<"))
            return fields;
        try
        {
            using var reader = XmlReader.Create(new StringReader(xml.TrimStart()), new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null });
            string? name = null;
            while (reader.Read())
            {
                if (reader.NodeType == XmlNodeType.Element)
                {
                    if (fields.Count == 0)
                        fields.TryAdd("", reader.LocalName);
                    name = reader.LocalName;
                }
                else if (reader.NodeType is XmlNodeType.Text or XmlNodeType.CDATA && name is not null)
                {
                    fields.TryAdd(name, reader.Value);
                }
            }
        }
        catch (XmlException)
        {
            // A proxy's HTML page, or a document that was cut: whatever was read of it is all there is.
        }

        return fields;
    }

    /// <summary>The name of the document's root element, or null.</summary>
    public static string? Root(this Dictionary<string, string> fields) => fields.GetValueOrDefault("");
}
