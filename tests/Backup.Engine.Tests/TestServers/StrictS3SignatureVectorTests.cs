using System.Net;
using System.Text;
using Backup.TestServers.S3;

namespace Backup.Engine.Tests.TestServers;

/// <summary>
/// The examples AWS publishes with their signatures (S3 API Reference: sig-v4-header-based-auth, sigv4-streaming,
/// sigv4-streaming-trailers), sent as they are printed there.
/// </summary>
public sealed class StrictS3SignatureVectorTests
{
    private const string Scope = "Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request";
    private const string EmptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    private const string BucketHost = "examplebucket.s3.amazonaws.com";
    private static readonly string A64K = new('a', 65536);
    private static readonly string A1K = new('a', 1024);

    [Fact]
    public async Task Get_object_with_a_range()
    {
        await using var server = await StartAsync();
        using var sdk = server.Sdk();

        // The published example reads test.txt: put it there with the clock set right, then read it in 2013.
        server.ClockOffset = TimeSpan.Zero;
        await sdk.PutObjectAsync(new() { BucketName = "examplebucket", Key = "test.txt", ContentBody = "0123456789abcdef" });
        GoTo2013(server);
        var response = await SendAsync(
            server, HttpMethod.Get, "/test.txt", "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41", "range;", ("Range", "bytes=0-9"));
        response.StatusCode.ShouldBe(HttpStatusCode.PartialContent);
        (await response.Content.ReadAsStringAsync()).ShouldBe("0123456789");
    }

    [Fact]
    public async Task Put_object()
    {
        await using var server = await StartAsync();
        await PutPublishedAsync(server);
        var stored = server.State.Objects("examplebucket").ShouldHaveSingleItem();
        stored.Key.ShouldBe("test$file.text");
        stored.StorageClass.ShouldBe("REDUCED_REDUNDANCY");
    }

    [Fact]
    public async Task Get_bucket_lifecycle()
    {
        await using var server = await StartAsync();
        var response = await SendAsync(server, HttpMethod.Get, "/?lifecycle", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543", "");
        (await response.ErrorCodeAsync()).ShouldBe("NoSuchLifecycleConfiguration");
    }

    [Theory]
    [InlineData("/?max-keys=2&prefix=J")]
    [InlineData("/?prefix=J&max-keys=2")]
    public async Task List_objects(string target)
    {
        await using var server = await StartAsync();
        var response = await SendAsync(server, HttpMethod.Get, target, "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7", "");
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Presigned_get()
    {
        await using var server = await StartAsync();
        using var http = server.Raw();
        using var request = new HttpRequestMessage(
            HttpMethod.Get,
            "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
            + "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
            + "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
        request.Headers.Host = BucketHost;
        (await (await http.SendAsync(request)).ErrorCodeAsync()).ShouldBe("NoSuchKey");
    }

    [Fact]
    public async Task Chunked_upload()
    {
        await using var server = await StartAsync();
        var response = await PutChunksAsync(server, A64K, 'a');
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await server.State.ReadAsync("examplebucket", "chunkObject.txt")).ShouldBe(Encoding.ASCII.GetBytes(A64K + A1K));
    }

    [Fact]
    public async Task Chunked_upload_with_a_byte_changed()
    {
        await using var server = await StartAsync();
        var response = await PutChunksAsync(server, A64K[1..] + "b", 'b');
        (await response.ErrorCodeAsync()).ShouldBe("SignatureDoesNotMatch");
        server.State.Objects("examplebucket").ShouldBeEmpty();
    }

    [Theory]
    [InlineData("sOO8/Q==", "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435", null)]
    [InlineData("sOO8/A==", "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435", "SignatureDoesNotMatch")]
    [InlineData("sOO8/Q==", "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e436", "SignatureDoesNotMatch")]
    public async Task Chunked_upload_with_a_trailer(string checksum, string trailerSignature, string? error)
    {
        await using var server = await StartAsync();
        var body = Chunk("10000", "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2", A64K)
            + Chunk("400", "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7", A1K)
            + "0;chunk-signature=2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992\r\n"
            + $"x-amz-checksum-crc32c:{checksum}\r\nx-amz-trailer-signature:{trailerSignature}\r\n\r\n";
        var response = await PutAsync(
            server,
            body,
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
            "content-encoding;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class;x-amz-trailer",
            "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
            ("x-amz-trailer", "x-amz-checksum-crc32c"));
        if (error is not null)
        {
            (await response.ErrorCodeAsync()).ShouldBe(error);
            return;
        }

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        server.State.Objects("examplebucket").ShouldHaveSingleItem().Checksum.ShouldBe(checksum);
    }

    private static async Task<StrictS3Server> StartAsync()
    {
        var server = await StrictS3Clients.StartAsync(new StrictS3Options
        {
            AccessKey = "AKIAIOSFODNN7EXAMPLE",
            SecretKey = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        });
        GoTo2013(server);
        return server;
    }

    private static void GoTo2013(StrictS3Server server) => server.ClockOffset = new DateTime(2013, 5, 24, 0, 0, 0, DateTimeKind.Utc) - DateTime.UtcNow;

    private static async Task PutPublishedAsync(StrictS3Server server)
    {
        using var http = server.Raw();
        using var request = new HttpRequestMessage(HttpMethod.Put, "/test%24file.text") { Content = new StringContent("Welcome to Amazon S3.") };
        request.Content.Headers.ContentType = null;
        request.Headers.Host = BucketHost;
        request.Headers.TryAddWithoutValidation("Date", "Fri, 24 May 2013 00:00:00 GMT");
        request.Headers.TryAddWithoutValidation("x-amz-date", "20130524T000000Z");
        request.Headers.TryAddWithoutValidation("x-amz-storage-class", "REDUCED_REDUNDANCY");
        request.Headers.TryAddWithoutValidation("x-amz-content-sha256", "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072");
        request.Headers.TryAddWithoutValidation(
            "Authorization",
            $"AWS4-HMAC-SHA256 {Scope},SignedHeaders=date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class,"
            + "Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
        (await http.SendAsync(request)).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    private static async Task<HttpResponseMessage> SendAsync(
        StrictS3Server server, HttpMethod method, string target, string signature, string extraSigned, params (string Name, string Value)[] headers)
    {
        using var http = server.Raw();
        using var request = new HttpRequestMessage(method, target);
        request.Headers.Host = BucketHost;
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        request.Headers.TryAddWithoutValidation("x-amz-date", "20130524T000000Z");
        request.Headers.TryAddWithoutValidation("x-amz-content-sha256", EmptyHash);
        request.Headers.TryAddWithoutValidation(
            "Authorization", $"AWS4-HMAC-SHA256 {Scope},SignedHeaders=host;{extraSigned}x-amz-content-sha256;x-amz-date,Signature={signature}");
        return await http.SendAsync(request);
    }

    private static Task<HttpResponseMessage> PutChunksAsync(StrictS3Server server, string first, char last)
    {
        var body = Chunk("10000", "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648", first)
            + Chunk("400", "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497", A1K[1..] + last)
            + "0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n";
        return PutAsync(
            server,
            body,
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
            "content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class",
            "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9");
    }

    private static async Task<HttpResponseMessage> PutAsync(
        StrictS3Server server, string body, string payload, string signedHeaders, string signature, params (string Name, string Value)[] headers)
    {
        using var http = server.Raw();
        using var request = new HttpRequestMessage(HttpMethod.Put, "/examplebucket/chunkObject.txt") { Content = new ByteArrayContent(Encoding.ASCII.GetBytes(body)) };
        request.Content.Headers.TryAddWithoutValidation("Content-Encoding", "aws-chunked");
        request.Headers.Host = "s3.amazonaws.com";
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        request.Headers.TryAddWithoutValidation("x-amz-date", "20130524T000000Z");
        request.Headers.TryAddWithoutValidation("x-amz-storage-class", "REDUCED_REDUNDANCY");
        request.Headers.TryAddWithoutValidation("x-amz-content-sha256", payload);
        request.Headers.TryAddWithoutValidation("x-amz-decoded-content-length", "66560");
        request.Headers.TryAddWithoutValidation("Authorization", $"AWS4-HMAC-SHA256 {Scope},SignedHeaders={signedHeaders},Signature={signature}");
        return await http.SendAsync(request);
    }

    private static string Chunk(string size, string signature, string data) => $"{size};chunk-signature={signature}\r\n{data}\r\n";
}
