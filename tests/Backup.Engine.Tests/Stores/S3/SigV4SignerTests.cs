using Amazon.Runtime;
using Backup.Engine.Stores.S3;

namespace Backup.Engine.Tests.Stores.S3;

/// <summary>The examples of https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html.</summary>
public sealed class SigV4SignerTests
{
    private static readonly ImmutableCredentials Keys = new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", null);
    private static readonly DateTimeOffset Time = new(2013, 5, 24, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void GetObject() => Sign("GET", "/test.txt", [], [("range", "bytes=0-9")], SigV4Signer.EmptyPayload)
        .ShouldEndWith("SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");

    [Fact]
    public void PutObject() => Sign(
            "PUT",
            "/" + S3Encoding.Path("test$file.text"),
            [],
            [("date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY")],
            "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072")
        .ShouldEndWith("Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");

    [Fact]
    public void SubResource() => Sign("GET", "/", [("lifecycle", "")], [], SigV4Signer.EmptyPayload)
        .ShouldEndWith("Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");

    [Fact]
    public void Listing() => Sign("GET", "/", [("prefix", "J"), ("max-keys", "2")], [], SigV4Signer.EmptyPayload)
        .ShouldEndWith("Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");

    [Fact]
    public void The_day_and_the_secret_are_part_of_a_kept_key()
    {
        var signer = new SigV4Signer("us-east-1");
        string SignWith(ImmutableCredentials keys, DateTimeOffset time) => signer.Sign("GET", "/", [], [("host", "h")], SigV4Signer.EmptyPayload, keys, time);

        var first = SignWith(Keys, Time);
        SignWith(Keys, Time.AddDays(1)).ShouldNotBe(first, StringComparer.Ordinal);
        SignWith(new("AKIAIOSFODNN7EXAMPLE", "another", null), Time).ShouldNotBe(first, StringComparer.Ordinal);
        SignWith(Keys, Time).ShouldBe(first);
    }

    [Fact]
    public void A_session_token_is_signed()
    {
        var headers = new List<(string Name, string Value)> { ("host", "h") };
        new SigV4Signer("us-east-1").Sign("GET", "/", [], headers, SigV4Signer.EmptyPayload, new("a", "b", "token"), Time).ShouldContain("x-amz-security-token");
        headers.ShouldContain(("x-amz-security-token", "token"));
    }

    private static string Sign(string method, string path, List<(string Name, string Value)> query, List<(string Name, string Value)> headers, string payload) =>
        new SigV4Signer("us-east-1").Sign(method, path, query, [.. headers, ("host", "examplebucket.s3.amazonaws.com")], payload, Keys, Time);
}
