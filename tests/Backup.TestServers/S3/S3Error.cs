namespace Backup.TestServers.S3;

/// <summary>An error as S3 answers it: status, code, message, and elements and headers that go with it.</summary>
internal sealed class S3Error(int status, string code, string message) : Exception(message)
{
    public int Status { get; } = status;

    public string Code { get; } = code;

    public List<(string Name, string Value)> Elements { get; } = [];

    public List<(string Name, string Value)> Headers { get; } = [];

    public S3Error With(string element, string value)
    {
        Elements.Add((element, value));
        return this;
    }

    public S3Error WithHeader(string name, string value)
    {
        Headers.Add((name, value));
        return this;
    }

    public static S3Error AccessDenied(string message = "Access Denied") => new(403, "AccessDenied", message);

    public static S3Error BadDigest(string message) => new(400, "BadDigest", message);

    public static S3Error InvalidRequest(string message) => new(400, "InvalidRequest", message);

    public static S3Error InvalidArgument(string message, string name, string value) =>
        new S3Error(400, "InvalidArgument", message).With("ArgumentName", name).With("ArgumentValue", value);

    public static S3Error MalformedXml() =>
        new(400, "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema");

    public static S3Error IncompleteBody() =>
        new(400, "IncompleteBody", "You did not provide the number of bytes specified by the Content-Length HTTP header");

    public static S3Error MissingContentLength() => new(411, "MissingContentLength", "You must provide the Content-Length HTTP header.");

    public static S3Error NoSuchBucket(string bucket) =>
        new S3Error(404, "NoSuchBucket", "The specified bucket does not exist").With("BucketName", bucket);

    public static S3Error NoSuchKey(string key) => new S3Error(404, "NoSuchKey", "The specified key does not exist.").With("Key", key);

    public static S3Error NoSuchVersion(string key, string versionId) =>
        new S3Error(404, "NoSuchVersion", "The specified version does not exist.").With("Key", key).With("VersionId", versionId);

    public static S3Error NoSuchUpload(string uploadId) => new S3Error(
        404,
        "NoSuchUpload",
        "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.").With("UploadId", uploadId);

    public static S3Error PreconditionFailed(string condition) =>
        new S3Error(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold").With("Condition", condition);

    public static S3Error NotImplemented(string header) =>
        new S3Error(501, "NotImplemented", "A header you provided implies functionality that is not implemented").With("Header", header);

    public static S3Error MethodNotAllowed(string method) =>
        new S3Error(405, "MethodNotAllowed", "The specified method is not allowed against this resource.").With("Method", method);
}
