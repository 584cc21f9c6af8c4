using Backup.Engine.Stores.S3;
using Backup.Engine.Tests.Fixtures;
using Backup.TestServers.S3;

namespace Backup.Engine.Tests.Stores.S3;

/// <summary>Buckets that the module makes, and what others read from them.</summary>
public sealed class S3BucketTests(MotoServer moto)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("us-east-1")]
    [InlineData("eu-central-1")]
    public async Task A_new_bucket_is_safe(string region)
    {
        await using var bench = await S3Bench.StartAsync(new() { Region = region });
        using var control = S3Controls.Create("new-bucket", bench.Options);
        await control.EnsureBucketAsync(90, Token);
        using var sdk = bench.Sdk();
        (await sdk.GetBucketVersioningAsync("new-bucket", Token)).VersioningConfig.Status.ShouldBe(Amazon.S3.VersionStatus.Enabled);
        var access = (await sdk.GetPublicAccessBlockAsync(new() { BucketName = "new-bucket" }, Token)).PublicAccessBlockConfiguration;
        (access.BlockPublicAcls, access.BlockPublicPolicy, access.IgnorePublicAcls, access.RestrictPublicBuckets).ShouldBe((true, true, true, true));
        var rules = (await sdk.GetLifecycleConfigurationAsync("new-bucket", Token)).Configuration.Rules;
        rules.ShouldContain(rule => rule.AbortIncompleteMultipartUpload != null && rule.AbortIncompleteMultipartUpload.DaysAfterInitiation == 7);
        rules.ShouldContain(rule => rule.NoncurrentVersionExpiration != null && rule.NoncurrentVersionExpiration.NoncurrentDays == 90);

        bench.Server.ClearRequests();
        await control.EnsureBucketAsync(90, Token);
        bench.Server.Requests.ShouldAllBe(r => r.Method == "HEAD");
    }

    [Fact]
    public async Task A_bucket_that_is_there_keeps_its_rules()
    {
        // moto lets one create one's own bucket again in us-east-1, as S3 does.
        var endpoint = await moto.EndpointAsync();
        var bucket = $"own-{Guid.NewGuid():n}";
        var options = new Backup.Engine.Stores.StoreOptions { Aws = new() { EndpointUrl = endpoint, Region = "us-east-1", Keys = new("test", "test") } };
        using var sdk = new Amazon.S3.AmazonS3Client("test", "test", new Amazon.S3.AmazonS3Config { ServiceURL = endpoint.ToString(), ForcePathStyle = true, AuthenticationRegion = "us-east-1" });
        await sdk.PutBucketAsync(bucket, Token);
        using var control = S3Controls.Create(bucket, options);
        await control.EnsureBucketAsync(90, Token);
        (await sdk.GetBucketVersioningAsync(bucket, Token)).VersioningConfig.Status.ShouldNotBe(Amazon.S3.VersionStatus.Enabled);
    }

    [Fact]
    public async Task A_name_that_is_taken_is_told()
    {
        await using var bench = await S3Bench.StartAsync();
        bench.Server.State.AddForeignBucket("foreign-bucket");
        using var control = S3Controls.Create("foreign-bucket", bench.Options);
        var failure = await Should.ThrowAsync<BackupException>(() => control.EnsureBucketAsync(90, Token));
        failure.Kind.ShouldBe(FailureKind.WrongOwner);
        failure.Message.ShouldContain("'foreign-bucket'");
    }

    [Fact]
    public async Task A_bucket_that_cannot_be_made_safe_is_not_left_behind()
    {
        await using var bench = await S3Bench.StartAsync();
        bench.Server.Deny = r => r.Operation == "PutBucketLifecycleConfiguration";
        using var control = S3Controls.Create("new-bucket", bench.Options);
        (await Should.ThrowAsync<BackupException>(() => control.EnsureBucketAsync(90, Token))).Kind.ShouldBe(FailureKind.PermissionDenied);
        bench.Server.State.Buckets.ShouldBe([S3Bench.Bucket]);
    }

    [Fact]
    public async Task The_AWS_command_line_reads_what_was_written()
    {
        using var directory = new TemporaryDirectory();
        await using var bench = await S3Bench.StartAsync();
        var store = await bench.ReadyAsync();
        foreach (var size in (int[])[0, 1000, (2 * S3Bench.PartSize) + 17])
        {
            var data = S3Bench.Data(size);
            await store.WriteAsync("dir/größe 1+1.bin", new MemoryStream(data), null, Token);
            var file = directory.Combine("copy");
            var environment = new Dictionary<string, string?>(StringComparer.Ordinal) { ["AWS_ACCESS_KEY_ID"] = "test", ["AWS_SECRET_ACCESS_KEY"] = "testsecret", ["AWS_DEFAULT_REGION"] = "us-east-1" };
            (await PeerProgram.RunAsync("aws", ["--endpoint-url", bench.Server.Endpoint.ToString(), "s3", "cp", $"s3://{S3Bench.Bucket}/dir/größe 1+1.bin", file], environment)).Succeeded();
            (await File.ReadAllBytesAsync(file, Token)).ShouldBe(data);
        }
    }
}
