using Backup.TestServers.S3.Http;

namespace Backup.TestServers.S3.Operations;

internal static class ObjectTagging
{
    private const int MostTags = 10;

    public static Task Get(S3Call call)
    {
        var bucket = call.Bucket();
        var version = VersionLookup.Find(call, bucket);
        call.SetVersion(bucket, version.VersionId);
        var xml = S3Xml.Root("Tagging").Open("TagSet");
        foreach (var (key, value) in version.Tags)
            xml.Open("Tag").Add("Key", key).Add("Value", value).Close();
        return call.RespondAsync(xml);
    }

    public static async Task Put(S3Call call)
    {
        var bucket = call.Bucket();
        var (root, _, _) = await call.ReceiveXmlAsync("Tagging");
        var tags = (root.Child("TagSet") ?? throw S3Error.MalformedXml()).Children("Tag")
            .Select(t => KeyValuePair.Create(t.Child("Key")?.Value ?? throw S3Error.MalformedXml(), t.Child("Value")?.Value ?? ""))
            .ToList();
        if (tags.Count > MostTags)
            throw new S3Error(400, "BadRequest", "Object tags cannot be greater than 10");
        var version = VersionLookup.Find(call, bucket);
        version.Tags = tags;
        call.SetVersion(bucket, version.VersionId);
        await call.RespondAsync(200);
    }

    public static Task Delete(S3Call call)
    {
        var bucket = call.Bucket();
        var version = VersionLookup.Find(call, bucket);
        version.Tags = [];
        call.SetVersion(bucket, version.VersionId);
        return call.RespondAsync(204);
    }
}
