using Backup.TestServers.S3.Http;
using Backup.TestServers.S3.Storage;

namespace Backup.TestServers.S3.Operations;

/// <summary>Buckets themselves.</summary>
internal static class BucketOperations
{
    public static Task ListBuckets(S3Call call)
    {
        var xml = S3Xml.Root("ListAllMyBucketsResult").Open("Owner").Add("ID", call.Services.Options.AccountId).Close().Open("Buckets");
        foreach (var bucket in call.Services.Store.Buckets.Values.OrderBy(b => b.Name, StringComparer.Ordinal))
            xml.Open("Bucket").Add("Name", bucket.Name).Add("CreationDate", bucket.CreatedAt).Add("BucketRegion", call.Services.Options.Region).Close();
        return call.RespondAsync(xml.Close());
    }

    public static async Task CreateBucket(S3Call call)
    {
        var (name, region) = (call.Request.Bucket!, call.Services.Options.Region);
        string? constraint = null;
        if (call.Request.Http.Request.ContentLength > 0)
        {
            var (root, _, _) = await call.ReceiveXmlAsync("CreateBucketConfiguration");
            constraint = root.Child("LocationConstraint")?.Value;
        }

        if (!IsValidName(name))
            throw new S3Error(400, "InvalidBucketName", "The specified bucket is not valid.").With("BucketName", name);
        if (!string.Equals(constraint ?? "us-east-1", region, StringComparison.Ordinal))
        {
            throw new S3Error(
                400,
                "IllegalLocationConstraintException",
                $"The {constraint ?? "unspecified"} location constraint is incompatible for the region specific endpoint this request was sent to.");
        }

        if (call.Services.Store.Foreign.ContainsKey(name))
        {
            throw new S3Error(
                409,
                "BucketAlreadyExists",
                "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.").With("BucketName", name);
        }

        var withLock = call.Request.Header("x-amz-bucket-object-lock-enabled") is "true" or "True";
        var bucket = new S3Bucket(name, call.Services.Clock.Now) { ObjectLock = withLock, Versioning = withLock ? "Enabled" : null };
        if (!call.Services.Store.Buckets.TryAdd(name, bucket))
        {
            throw new S3Error(409, "BucketAlreadyOwnedByYou", "Your previous request to create the named bucket succeeded and you already own it.")
                .With("BucketName", name);
        }

        call.SetHeader("Location", "/" + name);
        await call.RespondAsync(200);
    }

    public static Task HeadBucket(S3Call call)
    {
        call.Bucket();
        call.SetHeader("x-amz-bucket-region", call.Services.Options.Region);
        return call.RespondAsync(200, "application/xml", []);
    }

    public static Task DeleteBucket(S3Call call)
    {
        var bucket = call.Bucket();
        lock (bucket.Gate)
        {
            if (!bucket.IsEmpty)
                throw new S3Error(409, "BucketNotEmpty", "The bucket you tried to delete is not empty").With("BucketName", bucket.Name);
            call.Services.Store.Buckets.TryRemove(bucket.Name, out _);
        }

        return call.RespondAsync(204);
    }

    public static Task GetBucketLocation(S3Call call)
    {
        call.Bucket();
        var region = call.Services.Options.Region;
        var text = $"{S3Xml.Declaration}<LocationConstraint xmlns=\"{S3Xml.Namespace}\">{(region is "us-east-1" ? "" : region)}</LocationConstraint>";
        return call.RespondAsync(200, "application/xml", System.Text.Encoding.UTF8.GetBytes(text));
    }

    public static Task GetBucketVersioning(S3Call call) =>
        call.RespondAsync(S3Xml.Root("VersioningConfiguration").Add("Status", call.Bucket().Versioning));

    public static async Task PutBucketVersioning(S3Call call)
    {
        var bucket = call.Bucket();
        var (root, _, _) = await call.ReceiveXmlAsync("VersioningConfiguration");
        var status = root.Child("Status")?.Value;
        if (status is not ("Enabled" or "Suspended"))
            throw S3Error.MalformedXml();
        if (bucket.ObjectLock && status is "Suspended")
        {
            throw new S3Error(
                409, "InvalidBucketState", "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.");
        }

        lock (bucket.Gate)
            bucket.Versioning = status;
        await call.RespondAsync(200);
    }

    private static bool IsValidName(string name) =>
        name.Length is >= 3 and <= 63
        && name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '.')
        && char.IsAsciiLetterOrDigit(name[0])
        && char.IsAsciiLetterOrDigit(name[^1])
        && !name.Contains("..", StringComparison.Ordinal);
}
