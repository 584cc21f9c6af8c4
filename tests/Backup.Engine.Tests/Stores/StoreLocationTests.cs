using Backup.Engine.Stores;

namespace Backup.Engine.Tests.Stores;

public sealed class StoreLocationTests
{
    [Theory]
    [InlineData("s3://bucket", "bucket", "")]
    [InlineData("s3://bucket/", "bucket", "")]
    [InlineData("S3://my.bucket-1/a/b", "my.bucket-1", "a/b/")]
    [InlineData("s3://bucket//a/", "bucket", "a/")]
    public void Buckets(string text, string bucket, string prefix)
    {
        var location = StoreLocation.Parse(text);
        location.Bucket.ShouldBe(bucket);
        location.Prefix.ShouldBe(prefix);
        StoreLocation.Parse(location.ToString()).ShouldBe(location);
    }

    [Theory]
    [InlineData("s3://", "3 to 63")]
    [InlineData("s3://ab", "3 to 63")]
    [InlineData("s3://Bucket", "a-z")]
    [InlineData("s3://bu_cket/x", "a-z")]
    [InlineData("s3://-bucket", "begin and end")]
    [InlineData("s3://bu..cket", "two dots")]
    [InlineData("s3://192.168.0.1", "IP address")]
    [InlineData("s3://xn--bucket", "reserved")]
    [InlineData("s3://bucket-s3alias", "reserved")]
    [InlineData("https://bucket", "neither")]
    [InlineData("  ", "empty")]
    public void Names_that_cannot_be_name_their_rule(string text, string rule)
    {
        var failure = Should.Throw<BackupException>(() => StoreLocation.Parse(text));
        failure.Kind.ShouldBe(FailureKind.InvalidInput);
        failure.Message.ShouldContain(rule);
        failure.Advice.ShouldNotBeNull();
    }

    [Fact]
    public void A_relative_directory_is_taken_from_the_base_that_is_given()
    {
        var root = Path.GetFullPath(Path.GetTempPath());
        StoreLocation.Parse("x/../y", root).Directory.ShouldBe(Path.Combine(root, "y"));
    }
}
