namespace Backup.TestServers.S3.Http;

/// <summary>S3's routing: the method, what is addressed and the sub-resource in the query make the operation.</summary>
internal static class OperationNames
{
    private static readonly (string Parameter, string Name)[] BucketDocuments =
    [
        ("versioning", "BucketVersioning"),
        ("lifecycle", "BucketLifecycleConfiguration"),
        ("publicAccessBlock", "PublicAccessBlock"),
        ("encryption", "BucketEncryption"),
        ("location", "BucketLocation"),
    ];

    private static readonly string[] NotModelled =
    [
        "acl", "accelerate", "analytics", "cors", "intelligent-tiering", "inventory", "legal-hold", "logging", "metrics", "notification",
        "object-lock", "ownershipControls", "policy", "policyStatus", "replication", "requestPayment", "retention", "select", "torrent", "website",
    ];

    public static string Of(S3Request request)
    {
        if (request.Bucket is null)
            return request.Method is "GET" ? "ListBuckets" : "Unknown";
        if (NotModelled.Any(request.Has))
            return "NotImplemented";
        return request.Key is null ? OfBucket(request) : OfObject(request);
    }

    private static string OfBucket(S3Request request)
    {
        if (request.Has("tagging"))
            return "NotImplemented";
        foreach (var (parameter, name) in BucketDocuments)
        {
            if (request.Has(parameter) && request.Method is ("GET" or "PUT" or "DELETE"))
                return Verb(request.Method) + name;
        }

        return request.Method switch
        {
            "GET" when request.Has("versions") => "ListObjectVersions",
            "GET" when request.Has("uploads") => "ListMultipartUploads",
            "GET" when request.Query.GetValueOrDefault("list-type") is "2" => "ListObjectsV2",
            "GET" => "ListObjects",
            "HEAD" => "HeadBucket",
            "PUT" => "CreateBucket",
            "DELETE" => "DeleteBucket",
            "POST" when request.Has("delete") => "DeleteObjects",
            _ => "Unknown",
        };
    }

    private static string OfObject(S3Request request) => request.Method switch
    {
        "GET" or "PUT" or "DELETE" when request.Has("tagging") => Verb(request.Method) + "ObjectTagging",
        "GET" when request.Has("uploadId") => "ListParts",
        "GET" when request.Has("attributes") => "GetObjectAttributes",
        "GET" => "GetObject",
        "HEAD" => "HeadObject",
        "PUT" when request.Has("uploadId") => request.Header("x-amz-copy-source") is null ? "UploadPart" : "UploadPartCopy",
        "PUT" => request.Header("x-amz-copy-source") is null ? "PutObject" : "CopyObject",
        "POST" when request.Has("uploads") => "CreateMultipartUpload",
        "POST" when request.Has("uploadId") => "CompleteMultipartUpload",
        "POST" when request.Has("restore") => "RestoreObject",
        "DELETE" when request.Has("uploadId") => "AbortMultipartUpload",
        "DELETE" => "DeleteObject",
        _ => "Unknown",
    };

    private static string Verb(string method) => method switch { "PUT" => "Put", "DELETE" => "Delete", _ => "Get" };
}
