using System.Text;
using Backup.TestServers.S3.Http;

namespace Backup.TestServers.S3.Operations;

/// <summary>Configurations that are kept as they came and given back: lifecycle, public access block, encryption.</summary>
internal sealed class BucketDocuments(string root, bool needsDigest, int deleteStatus, Func<S3Error> missing, string? byDefault = null)
{
    public static readonly BucketDocuments Lifecycle = new(
        "LifecycleConfiguration", needsDigest: true, 204, () => new S3Error(404, "NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist"));

    public static readonly BucketDocuments PublicAccessBlock = new(
        "PublicAccessBlockConfiguration",
        needsDigest: false,
        204,
        () => new S3Error(404, "NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found"));

    public static readonly BucketDocuments Encryption = new(
        "ServerSideEncryptionConfiguration",
        needsDigest: false,
        204,
        () => new S3Error(404, "ServerSideEncryptionConfigurationNotFoundError", "The server side encryption configuration was not found"),
        $"<ServerSideEncryptionConfiguration xmlns=\"{S3Xml.Namespace}\"><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm>"
        + "</ApplyServerSideEncryptionByDefault><BucketKeyEnabled>false</BucketKeyEnabled></Rule></ServerSideEncryptionConfiguration>");

    public Task Get(S3Call call)
    {
        var bucket = call.Bucket();
        byte[]? document;
        lock (bucket.Gate)
            document = bucket.Documents.GetValueOrDefault(root);
        document ??= byDefault is null ? throw missing() : Encoding.UTF8.GetBytes(S3Xml.Declaration + byDefault);
        return call.RespondAsync(200, "application/xml", document);
    }

    public async Task Put(S3Call call)
    {
        var bucket = call.Bucket();
        var (_, bytes, body) = await call.ReceiveXmlAsync(root);
        if (needsDigest)
            RequireDigest(call, body);
        lock (bucket.Gate)
            bucket.Documents[root] = bytes;
        await call.RespondAsync(200);
    }

    public Task Delete(S3Call call)
    {
        var bucket = call.Bucket();
        lock (bucket.Gate)
            bucket.Documents.Remove(root);
        return call.RespondAsync(deleteStatus);
    }

    public static void RequireDigest(S3Call call, Body.ReceivedBody body)
    {
        var options = call.Services.Options;
        if (body.Claimed is null && call.Request.Header("content-md5") is null && !options.IgnoreChecksums && !options.Sink)
            throw S3Error.InvalidRequest("Missing required header for this request: Content-MD5 OR x-amz-checksum-*");
    }
}
