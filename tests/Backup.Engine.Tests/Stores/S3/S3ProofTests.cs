using Amazon.S3;
using Backup.Engine.Aws;
using Backup.Engine.Stores;
using Backup.Engine.Stores.S3;
using Backup.TestServers.S3;

namespace Backup.Engine.Tests.Stores.S3;

/// <summary>What an endpoint is believed, and how it is reached.</summary>
public sealed class S3ProofTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<string, string> Endpoints => new()
    {
        { "strict", "crc64nvme" },
        { "ignores", "md5" },
        { "echoes", "md5" },
        { "rejects", "md5" },
        { "ignores all", "md5" },
        { "opaque tags", "signed-sha256" },
        { "nothing", "" },
    };

    private static StrictS3Options OptionsOf(string endpoint) => endpoint switch
    {
        "ignores" => new() { IgnoreChecksums = true },
        "echoes" => new() { EchoChecksumsUnverified = true },
        "rejects" => new() { RejectChecksumHeaders = true },
        "ignores all" => new() { IgnoreChecksums = true, IgnoreContentMd5 = true },
        "opaque tags" => new() { IgnoreChecksums = true, OpaqueETags = true },
        "nothing" => new() { IgnoreChecksums = true, OpaqueETags = true, VerifyPayloadHash = false },
        _ => new(),
    };

    [Theory]
    [MemberData(nameof(Endpoints))]
    public async Task The_strongest_proof_is_found_and_leaves_nothing_behind(string endpoint, string proof)
    {
        await using var bench = await S3Bench.StartAsync(OptionsOf(endpoint), versioning: "Enabled");
        var store = bench.Open();
        var (small, large) = (S3Bench.Data(1000), S3Bench.Data(S3Bench.PartSize + 1000));
        if (proof.Length == 0)
        {
            var failure = await Should.ThrowAsync<BackupException>(() => store.WriteAsync("k", new MemoryStream(small), null, Token));
            failure.Kind.ShouldBe(FailureKind.NotSupported);
            failure.Message.ShouldContain(S3Bench.Bucket);
            bench.Server.State.Versions(S3Bench.Bucket).ShouldBeEmpty();
            return;
        }

        (await store.WriteAsync("small", new MemoryStream(small), null, Token)).Checksum!.Algorithm.ShouldBe(proof);
        (await store.WriteAsync("large", new MemoryStream(large), null, Token)).Checksum!.Algorithm.ShouldBe(proof);
        bench.Server.State.Versions(S3Bench.Bucket).Select(version => version.Key).ShouldBe(["large", "small"]);
        (await bench.Server.State.ReadAsync(S3Bench.Bucket, "large")).ShouldBe(large);
    }

    [Fact]
    public async Task An_answer_that_is_no_stores_is_no_success_where_the_signature_is_the_proof()
    {
        await using var bench = await S3Bench.StartAsync(OptionsOf("opaque tags"));
        var store = await bench.ReadyAsync(o => o with { MaxAttempts = 2 });
        foreach (var operation in (string[])["PutObject", "CompleteMultipartUpload"])
        {
            bench.Server.Faults.Add(operation, FaultAction.OkWithErrorBody("InternalError"), int.MaxValue);
            await Should.ThrowAsync<BackupException>(() => store.WriteAsync("k", new MemoryStream(new byte[operation == "PutObject" ? 1 : S3Bench.PartSize + 1]), null, Token));
        }

        bench.Server.State.Objects(S3Bench.Bucket).ShouldBeEmpty();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_payload_goes_unsigned_over_TLS_alone(bool tls)
    {
        await using var bench = await S3Bench.StartAsync(new() { Tls = tls });
        var store = await bench.ReadyAsync();
        await store.WriteAsync("small", new MemoryStream([1]), null, Token);
        await store.WriteAsync("large", new MemoryStream(S3Bench.Data(S3Bench.PartSize + 1)), null, Token);
        bench.Server.Requests.Where(r => r.Operation is "PutObject" or "UploadPart").ShouldAllBe(r => (r.Headers["x-amz-content-sha256"] == SigV4Signer.UnsignedPayload) == tls);
        bench.Server.Requests.Where(r => r.Operation is "CompleteMultipartUpload").ShouldAllBe(r => r.Headers["x-amz-content-sha256"].Length == 64);
    }

    [Theory]
    [InlineData("bucket", "eu-central-1", "https://bucket.s3.eu-central-1.amazonaws.com", "")]
    [InlineData("with.dots", "eu-central-1", "https://s3.eu-central-1.amazonaws.com", "/with.dots")]
    [InlineData("bucket", "us-east-1", "https://bucket.s3.us-east-1.amazonaws.com", "")]
    [InlineData("bucket", "cn-north-1", "https://bucket.s3.cn-north-1.amazonaws.com.cn", "")]
    [InlineData("bucket", "us-gov-west-1", "https://bucket.s3.us-gov-west-1.amazonaws.com", "")]
    public void Buckets_of_AWS_have_hosts_of_their_own(string bucket, string region, string origin, string path) =>
        S3Http.Address(bucket, Session(new() { Region = region, Keys = new("a", "b") })).ShouldBe((origin, origin["https://".Length..], path));

    [Theory]
    [InlineData(true, false, "https://bucket.s3-fips.us-east-1.amazonaws.com")]
    [InlineData(false, true, "https://bucket.s3.dualstack.us-east-1.amazonaws.com")]
    [InlineData(true, true, "https://bucket.s3-fips.dualstack.us-east-1.amazonaws.com")]
    public void Endpoints_of_another_kind_are_used_where_they_are_asked_for(bool fips, bool dualStack, string origin)
    {
        var config = new AmazonS3Config { UseFIPSEndpoint = fips, UseDualstackEndpoint = dualStack };
        S3Http.Address("bucket", new(new() { Region = "us-east-1", Keys = new("a", "b") }, config)).Origin.ShouldBe(origin);
    }

    [Theory]
    [InlineData("http://localhost:9000", "http://localhost:9000", "localhost:9000", "/bucket")]
    [InlineData("https://store.example/", "https://store.example", "store.example", "/bucket")]
    [InlineData("https://store.example:443/s3/", "https://store.example", "store.example", "/s3/bucket")]
    [InlineData("http://[::1]:9000", "http://[::1]:9000", "[::1]:9000", "/bucket")]
    [InlineData("https://user:topsecret@store.example", "https://store.example", "store.example", "/bucket")]
    public void Other_endpoints_are_addressed_by_path(string url, string origin, string host, string path) =>
        S3Http.Address("bucket", Session(new() { EndpointUrl = new(url), Region = "us-east-1", Keys = new("a", "b") })).ShouldBe((origin, host, path));

    [Fact]
    public async Task AWS_is_known_and_not_asked()
    {
        // There is no network in this: nothing is sent.
        Assert.SkipWhen(Environment.GetEnvironmentVariable("AWS_ENDPOINT_URL") is not null || Environment.GetEnvironmentVariable("AWS_ENDPOINT_URL_S3") is not null, "An endpoint is set in the environment.");
        await using var store = S3ObjectStore.Open(StoreLocation.ForBucket("bucket"), new() { Aws = new() { Region = "eu-central-1", Keys = new("a", "b") } });
        (await store.ProofAsync(Token)).ShouldBe(S3Proof.Crc64Nvme);
    }

    private static AwsSession Session(AwsOptions options) => new(options, new AmazonS3Config());
}
