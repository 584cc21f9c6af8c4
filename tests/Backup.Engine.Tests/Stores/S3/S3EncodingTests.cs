using Backup.Engine.Stores.S3;

namespace Backup.Engine.Tests.Stores.S3;

public sealed class S3EncodingTests
{
    [Theory]
    [InlineData("plain/path-1.2_3~4", "plain/path-1.2_3~4")]
    [InlineData("a b+c%d", "a%20b%2Bc%25d")]
    [InlineData("größe/日本", "gr%C3%B6%C3%9Fe/%E6%97%A5%E6%9C%AC")]
    [InlineData("\u0001\n", "%01%0A")]
    [InlineData("💾", "%F0%9F%92%BE")]
    public void Paths_are_encoded_once_with_slashes_kept(string key, string path) => S3Encoding.Path(key).ShouldBe(path);

    [Fact]
    public void Queries_are_sorted_and_encoded() =>
        S3Encoding.Query([("uploads", ""), ("prefix", "a/b c"), ("Z", "1")]).ShouldBe("Z=1&prefix=a%2Fb%20c&uploads=");

    [Theory]
    [InlineData("plain")]
    [InlineData("")]
    [InlineData(" spaces around ")]
    [InlineData("größe 💾")]
    [InlineData("=?UTF-8?B?already?=")]
    [InlineData("line\nbreak")]
    public void Metadata_comes_back_as_it_was(string value)
    {
        var header = S3Encoding.Metadata(value);
        header.ShouldAllBe(c => c >= ' ' && c <= '~');
        S3Encoding.FromMetadata(header).ShouldBe(value);
    }

    [Fact]
    public void Metadata_of_other_tools_is_given_as_it_stands() => S3Encoding.FromMetadata("=?UTF-8?B?***?=").ShouldBe("=?UTF-8?B?***?=");

    [Theory]
    [InlineData("a%20b%2Bc", "a b+c")]
    [InlineData("a+b%2Fc", "a b/c")]
    [InlineData("%01%0D", "\u0001\r")]
    public void Keys_of_listings_are_decoded(string listed, string key) => S3Control.Decode(listed).ShouldBe(key);

    [Fact]
    public void An_error_names_its_cause()
    {
        var error = S3Error.Parse(System.Net.HttpStatusCode.BadRequest, "<?xml version=\"1.0\"?><Error><Code>AuthorizationHeaderMalformed</Code><Message>the region 'us-east-1' is wrong; expecting 'eu-west-1'</Message><Region>eu-west-1</Region></Error>", null);
        var failure = error.ToException("s3://b/k", "b", "us-east-1");
        failure.Kind.ShouldBe(FailureKind.WrongRegion);
        failure.Message.ShouldContain("eu-west-1");
        failure.Advice!.ShouldContain("-Region eu-west-1");
    }

    [Theory]
    [InlineData("<html><body>proxy", 502, FailureKind.Unavailable)]
    [InlineData("", 403, FailureKind.PermissionDenied)]
    [InlineData("<Error><Code>SlowDown</Code></Error>", 503, FailureKind.Throttled)]
    [InlineData("<Error><Code>ExpiredToken</Code></Error>", 400, FailureKind.CredentialsExpired)]
    [InlineData("<Error><Code>BucketAlreadyExists</Code></Error>", 409, FailureKind.WrongOwner)]
    [InlineData("<Error><Code>BadDigest</Code></Error>", 400, FailureKind.ChecksumMismatch)]
    [InlineData("<Error><Code>InvalidObjectState</Code></Error>", 403, FailureKind.Archived)]
    public void Errors_have_stable_words(string body, int status, FailureKind kind) =>
        S3Error.Parse((System.Net.HttpStatusCode)status, body, null).Kind.ShouldBe(kind);
}
