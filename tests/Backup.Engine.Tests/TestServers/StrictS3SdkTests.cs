using System.Net;
using System.Security.Cryptography;
using System.Text;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using Backup.TestServers.S3;

namespace Backup.Engine.Tests.TestServers;

/// <summary>Amazon's own client against the strict S3: what it signs and sums is accepted, what is tampered with is not.</summary>
public sealed class StrictS3SdkTests
{
    private const string Bucket = StrictS3Clients.Bucket;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Objects_go_in_and_out(bool tls)
    {
        await using var server = await StrictS3Clients.StartAsync(new StrictS3Options { Tls = tls });
        using var sdk = server.Sdk();
        foreach (var key in (string[])["plain", "a b+c%20/ü/日本", "double//slash//", "a/../b/./c", "quote'\"<>&", "\u0001control", "\U0001F600"])
        {
            var put = await sdk.PutObjectAsync(new PutObjectRequest { BucketName = Bucket, Key = key, ContentBody = key, DisablePayloadSigning = tls, Metadata = { ["who"] = "me" } });
            server.State.Objects(Bucket).ShouldContain(o => o.Key == key);
            put.ChecksumCRC32.ShouldNotBeNull();
            using var got = await sdk.GetObjectAsync(Bucket, key);
            using var reader = new StreamReader(got.ResponseStream);
            (await reader.ReadToEndAsync()).ShouldBe(key);
            got.Metadata["who"].ShouldBe("me");
            got.ETag.ShouldBe($"\"{Convert.ToHexStringLower(MD5.HashData(Encoding.UTF8.GetBytes(key)))}\"");
        }

        server.State.Objects(Bucket).Count.ShouldBe(7);
        var payload = server.Requests.First(r => r.Operation is "PutObject").Headers["x-amz-content-sha256"];
        payload.ShouldBe(tls ? "STREAMING-UNSIGNED-PAYLOAD-TRAILER" : "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_multipart_upload(bool tls)
    {
        await using var server = await StrictS3Clients.StartAsync(new StrictS3Options { Tls = tls });
        using var sdk = server.Sdk();
        var data = RandomNumberGenerator.GetBytes((11 * 1024 * 1024) + 17);
        var upload = await sdk.InitiateMultipartUploadAsync(new InitiateMultipartUploadRequest
        {
            BucketName = Bucket, Key = "big", StorageClass = S3StorageClass.DeepArchive, ChecksumAlgorithm = ChecksumAlgorithm.SHA256,
        });
        var parts = new List<PartETag>();
        for (var number = 1; number <= 3; number++)
        {
            var part = data.AsSpan(((number - 1) * 5 * 1024 * 1024)..Math.Min(data.Length, number * 5 * 1024 * 1024)).ToArray();
            var response = await sdk.UploadPartAsync(new UploadPartRequest
            {
                BucketName = Bucket, Key = "big", UploadId = upload.UploadId, PartNumber = number, InputStream = new MemoryStream(part), ChecksumAlgorithm = ChecksumAlgorithm.SHA256,
            });
            response.ChecksumSHA256.ShouldBe(Convert.ToBase64String(SHA256.HashData(part)));
            parts.Add(new PartETag(number, response.ETag) { ChecksumSHA256 = response.ChecksumSHA256 });
        }

        var listed = await sdk.ListPartsAsync(new ListPartsRequest { BucketName = Bucket, Key = "big", UploadId = upload.UploadId, MaxParts = 2 });
        listed.Parts.Select(p => p.ChecksumSHA256).ShouldBe(parts.Take(2).Select(p => p.ChecksumSHA256));
        listed.IsTruncated.ShouldBe(true);
        (await sdk.ListMultipartUploadsAsync(Bucket)).MultipartUploads.ShouldHaveSingleItem().Initiated!.Value.ToUniversalTime().ShouldBe(DateTime.UtcNow, TimeSpan.FromMinutes(1));

        var complete = new CompleteMultipartUploadRequest { BucketName = Bucket, Key = "big", UploadId = upload.UploadId, PartETags = parts };
        var completed = await sdk.CompleteMultipartUploadAsync(complete);
        completed.ETag.ShouldEndWith("-3\"");
        completed.ChecksumSHA256.ShouldEndWith("-3");
        (await server.State.ReadAsync(Bucket, "big")).ShouldBe(data);
        (await Should.ThrowAsync<AmazonS3Exception>(() => sdk.CompleteMultipartUploadAsync(complete))).ErrorCode.ShouldBe("NoSuchUpload");
        server.State.Uploads(Bucket).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_full_object_checksum_is_verified_on_completion()
    {
        await using var server = await StrictS3Clients.StartAsync(new StrictS3Options { MinimumPartSize = 1 });
        using var sdk = server.Sdk();
        async Task<CompleteMultipartUploadResponse> UploadAsync(string checksum, long? size)
        {
            var upload = await sdk.InitiateMultipartUploadAsync(new InitiateMultipartUploadRequest
            {
                BucketName = Bucket, Key = "nine", ChecksumAlgorithm = ChecksumAlgorithm.CRC64NVME, ChecksumType = ChecksumType.FULL_OBJECT,
            });
            var request = new CompleteMultipartUploadRequest
            {
                BucketName = Bucket, Key = "nine", UploadId = upload.UploadId, ChecksumType = ChecksumType.FULL_OBJECT, ChecksumCRC64NVME = checksum, MpuObjectSize = size,
            };
            foreach (var (text, number) in (IEnumerable<(string, int)>)[("1234", 1), ("56789", 7)])
            {
                var part = await sdk.UploadPartAsync(new UploadPartRequest
                {
                    BucketName = Bucket, Key = "nine", UploadId = upload.UploadId, PartNumber = number, InputStream = new MemoryStream(Encoding.ASCII.GetBytes(text)),
                    ChecksumCRC64NVME = text is "1234" ? Crc64("1234") : Crc64("56789"),
                });
                request.AddPartETags(part);
            }

            return await sdk.CompleteMultipartUploadAsync(request);
        }

        var good = Convert.ToBase64String(Convert.FromHexString("AE8B14860A799888"));
        (await UploadAsync(good, 9)).ChecksumCRC64NVME.ShouldBe(good);
        var wrong = await Should.ThrowAsync<AmazonS3Exception>(() => UploadAsync("AAAAAAAAAAA=", 9));
        wrong.ErrorCode.ShouldBe("BadDigest");
        wrong.Message.ShouldBe("The CRC64NVME you specified did not match the calculated checksum.");
        (await Should.ThrowAsync<AmazonS3Exception>(() => UploadAsync(good, 10))).ErrorCode.ShouldBe("InvalidRequest");
    }

    /// <summary>Bit by bit from the definition: not the server's tables, not the engine's.</summary>
    private static string Crc64(string text)
    {
        var crc = ulong.MaxValue;
        foreach (var value in Encoding.ASCII.GetBytes(text))
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++)
                crc = (crc & 1) is 0 ? crc >> 1 : (crc >> 1) ^ 0x9A6C9329AC4BC9B5;
        }

        var bytes = BitConverter.GetBytes(~crc);
        Array.Reverse(bytes);
        return Convert.ToBase64String(bytes);
    }

    [Theory]
    [InlineData("CRC32", "CBF43926")]
    [InlineData("CRC32C", "E3069283")]
    [InlineData("CRC64NVME", "AE8B14860A799888")]
    [InlineData("SHA1", "F7C3BC1D808E04732ADF679965CCC34CA7AE3441")]
    [InlineData("SHA256", "15E2B0D3C33891EBB0F1EF609EC419420C20E320CE94C65FBC8C3312448EB225")]
    public async Task Published_check_values(string algorithm, string checkValue)
    {
        await using var server = await StrictS3Clients.StartAsync();
        using var sdk = server.Sdk();
        var good = Convert.FromHexString(checkValue);
        await sdk.PutObjectAsync(Nine(algorithm, good));
        var attributes = await sdk.GetObjectMetadataAsync(new GetObjectMetadataRequest { BucketName = Bucket, Key = "nine", ChecksumMode = ChecksumMode.ENABLED });
        string[] values = [attributes.ChecksumCRC32, attributes.ChecksumCRC32C, attributes.ChecksumCRC64NVME, attributes.ChecksumSHA1, attributes.ChecksumSHA256];
        values.Where(v => v is not null).ShouldBe([Convert.ToBase64String(good)]);
        good[0] ^= 1;
        var wrong = await Should.ThrowAsync<AmazonS3Exception>(() => sdk.PutObjectAsync(Nine(algorithm, good)));
        wrong.ErrorCode.ShouldBe("BadDigest");
        wrong.Message.ShouldBe($"The {algorithm} you specified did not match the calculated checksum.");
    }

    private static PutObjectRequest Nine(string algorithm, byte[] checksum)
    {
        var request = new PutObjectRequest { BucketName = Bucket, Key = "nine", ContentBody = "123456789" };
        var value = Convert.ToBase64String(checksum);
        _ = algorithm switch
        {
            "CRC32" => request.ChecksumCRC32 = value,
            "CRC32C" => request.ChecksumCRC32C = value,
            "CRC64NVME" => request.ChecksumCRC64NVME = value,
            "SHA1" => request.ChecksumSHA1 = value,
            _ => request.ChecksumSHA256 = value,
        };
        return request;
    }

    [Fact]
    public async Task Without_a_checksum_S3_adds_its_own()
    {
        await using var server = await StrictS3Clients.StartAsync();
        using var sdk = server.Sdk(configure: c => c.RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED);
        var put = await sdk.PutObjectAsync(new PutObjectRequest { BucketName = Bucket, Key = "nine", ContentBody = "123456789" });
        put.ChecksumCRC64NVME.ShouldBe(Convert.ToBase64String(Convert.FromHexString("AE8B14860A799888")));
        var digest = await Should.ThrowAsync<AmazonS3Exception>(() => sdk.PutObjectAsync(new PutObjectRequest
        {
            BucketName = Bucket, Key = "nine", ContentBody = "123456789", MD5Digest = Convert.ToBase64String(new byte[16]),
        }));
        digest.ErrorCode.ShouldBe("BadDigest");
    }

    [Fact]
    public async Task Wrong_credentials()
    {
        await using var server = await StrictS3Clients.StartAsync();
        (await ListErrorAsync(server, secretKey: "other")).ErrorCode.ShouldBe("SignatureDoesNotMatch");
        (await ListErrorAsync(server, accessKey: "nobody")).ErrorCode.ShouldBe("InvalidAccessKeyId");
        var region = await ListErrorAsync(server, configure: c => c.AuthenticationRegion = "eu-west-1");
        (region.ErrorCode, region.StatusCode).ShouldBe(("AuthorizationHeaderMalformed", HttpStatusCode.BadRequest));
        server.Deny = r => r.Operation is "ListObjectsV2";
        (await ListErrorAsync(server)).ErrorCode.ShouldBe("AccessDenied");
        server.Deny = null;
        server.ExpireCredentials();
        (await ListErrorAsync(server)).ErrorCode.ShouldBe("ExpiredToken");
        server.Credentials.Add(server.Options.AccessKey, server.Options.SecretKey);
        using var http = server.Raw();
        (await (await http.GetAsync("/" + Bucket)).ErrorCodeAsync()).ShouldBe("AccessDenied");
        server.ClockOffset = TimeSpan.FromMinutes(20);
        (await ListErrorAsync(server)).ErrorCode.ShouldBe("RequestTimeTooSkewed");
    }

    private static async Task<AmazonS3Exception> ListErrorAsync(
        StrictS3Server server, string? secretKey = null, string? accessKey = null, Action<AmazonS3Config>? configure = null)
    {
        using var sdk = server.Sdk(secretKey, accessKey, configure);
        return await Should.ThrowAsync<AmazonS3Exception>(() => sdk.ListObjectsV2Async(new ListObjectsV2Request { BucketName = Bucket }));
    }

    [Fact]
    public async Task A_presigned_request_that_is_changed()
    {
        await using var server = await StrictS3Clients.StartAsync();
        using var http = server.Raw();
        var url = server.Presign("key", HttpVerb.PUT);
        (await http.PutAsync(url, new StringContent("x") { Headers = { ContentType = null } })).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await http.GetStringAsync(server.Presign("key"))).ShouldBe("x");
        var other = new Uri(url.ToString().Replace("/key?", "/kez?", StringComparison.Ordinal));
        (await (await http.PutAsync(other, new StringContent("x"))).ErrorCodeAsync()).ShouldBe("SignatureDoesNotMatch");
        using var tagged = new HttpRequestMessage(HttpMethod.Get, server.Presign("key"));
        tagged.Headers.Add("x-amz-meta-more", "unsigned");
        (await (await http.SendAsync(tagged)).ErrorCodeAsync()).ShouldBe("AccessDenied");
        server.ClockOffset = TimeSpan.FromMinutes(11);
        (await (await http.GetAsync(server.Presign("key"))).ErrorCodeAsync()).ShouldBe("AccessDenied");
    }

    /// <summary>A limit of Amazon's client, not of S3: with path-style addresses it signs two slashes and sends one.</summary>
    [Fact]
    public async Task Amazons_client_fails_on_a_key_that_begins_with_a_slash()
    {
        await using var server = await StrictS3Clients.StartAsync();
        using var sdk = server.Sdk();
        var put = new PutObjectRequest { BucketName = Bucket, Key = "/lead", ContentBody = "x" };
        (await Should.ThrowAsync<AmazonS3Exception>(() => sdk.PutObjectAsync(put))).ErrorCode.ShouldBe("SignatureDoesNotMatch");
        server.Requests[^1].Path.ShouldBe("/examplebucket/lead");
    }

    [Theory]
    [InlineData(true, "XAmzContentSHA256Mismatch")]
    [InlineData(false, "SignatureDoesNotMatch")]
    public async Task A_signed_request_that_is_changed_on_its_way(bool body, string error)
    {
        await using var server = await StrictS3Clients.StartAsync();
        using var sdk = server.Sdk(configure: c =>
        {
            c.RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED;
            c.HttpClientFactory = new Tampering(body);
        });
        var put = new PutObjectRequest { BucketName = Bucket, Key = "k", ContentBody = "original", UseChunkEncoding = false, Metadata = { ["who"] = "me" } };
        (await Should.ThrowAsync<AmazonS3Exception>(() => sdk.PutObjectAsync(put))).ErrorCode.ShouldBe(error);
        server.State.Objects(Bucket).ShouldBeEmpty();
    }

    private sealed class Tampering(bool body) : HttpClientFactory
    {
        public override HttpClient CreateHttpClient(IClientConfig clientConfig) => new(new Handler(body) { InnerHandler = new SocketsHttpHandler() });

        public override bool UseSDKHttpClientCaching(IClientConfig clientConfig) => false;

        public override bool DisposeHttpClientsAfterUse(IClientConfig clientConfig) => true;

        private sealed class Handler(bool body) : DelegatingHandler
        {
            protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
            {
                if (body)
                {
                    request.Content = new StringContent("0riginal") { Headers = { ContentType = request.Content!.Headers.ContentType } };
                }
                else
                {
                    request.Headers.Remove("x-amz-meta-who");
                    request.Headers.Add("x-amz-meta-who", "you");
                }

                return base.SendAsync(request, cancellationToken);
            }
        }
    }

    [Fact]
    public async Task Versions_and_delete_markers()
    {
        await using var server = await StrictS3Clients.StartAsync();
        using var sdk = server.Sdk();
        await sdk.PutObjectAsync(new PutObjectRequest { BucketName = Bucket, Key = "k", ContentBody = "null version" });
        await sdk.PutBucketVersioningAsync(new PutBucketVersioningRequest { BucketName = Bucket, VersioningConfig = new S3BucketVersioningConfig { Status = VersionStatus.Enabled } });
        var second = await sdk.PutObjectAsync(new PutObjectRequest { BucketName = Bucket, Key = "k", ContentBody = "two" });
        var marker = await sdk.DeleteObjectAsync(Bucket, "k");
        marker.DeleteMarker.ShouldBe("true");
        (await Should.ThrowAsync<AmazonS3Exception>(() => sdk.GetObjectAsync(Bucket, "k"))).ErrorCode.ShouldBe("NoSuchKey");
        (await Should.ThrowAsync<AmazonS3Exception>(() => sdk.GetObjectMetadataAsync(Bucket, "k", marker.VersionId))).StatusCode.ShouldBe(HttpStatusCode.MethodNotAllowed);
        var page = await sdk.ListVersionsAsync(new ListVersionsRequest { BucketName = Bucket, MaxKeys = 2 });
        page.Versions.Select(v => v.VersionId).ShouldBe([marker.VersionId, second.VersionId]);
        var rest = await sdk.ListVersionsAsync(new ListVersionsRequest { BucketName = Bucket, KeyMarker = page.NextKeyMarker, VersionIdMarker = page.NextVersionIdMarker });
        rest.Versions.ShouldHaveSingleItem().VersionId.ShouldBe("null");
        await sdk.DeleteObjectAsync(Bucket, "k", marker.VersionId);
        using var got = await sdk.GetObjectAsync(Bucket, "k");
        got.VersionId.ShouldBe(second.VersionId);
    }

    [Fact]
    public async Task Listings_page_in_UTF8_order_and_roll_up_prefixes()
    {
        await using var server = await StrictS3Clients.StartAsync();
        using var sdk = server.Sdk();
        string[] keys = ["a/1", "a/2", "b", "c/1", "d e+f*~", "\uFF5E", "\U0001F600"];
        foreach (var key in keys.Reverse())
            await sdk.PutObjectAsync(new PutObjectRequest { BucketName = Bucket, Key = key, ContentBody = "x" });
        foreach (var encoding in (EncodingType?[])[null, EncodingType.Url])
        {
            var request = new ListObjectsV2Request { BucketName = Bucket, MaxKeys = 2, Encoding = encoding };
            var found = new List<string>();
            do
            {
                var response = await sdk.ListObjectsV2Async(request);
                found.AddRange(response.S3Objects.Select(o => encoding is null ? o.Key : WebUtility.UrlDecode(o.Key)));
                request.ContinuationToken = response.NextContinuationToken;
            }
            while (request.ContinuationToken is not null);
            found.ShouldBe(keys);
        }

        var rolled = await sdk.ListObjectsV2Async(new ListObjectsV2Request { BucketName = Bucket, Delimiter = "/", MaxKeys = 3 });
        rolled.CommonPrefixes.ShouldBe(["a/", "c/"]);
        rolled.S3Objects.ShouldHaveSingleItem().Key.ShouldBe("b");
        var next = await sdk.ListObjectsV2Async(new ListObjectsV2Request { BucketName = Bucket, Delimiter = "/", ContinuationToken = rolled.NextContinuationToken });
        next.S3Objects.Select(o => o.Key).ShouldBe(keys[4..]);
    }

    [Fact]
    public async Task Conditions_owner_and_batch_delete()
    {
        await using var server = await StrictS3Clients.StartAsync();
        using var sdk = server.Sdk();
        var request = new PutObjectRequest { BucketName = Bucket, Key = "once", ContentBody = "x", IfNoneMatch = "*" };
        await sdk.PutObjectAsync(request);
        (await Should.ThrowAsync<AmazonS3Exception>(() => sdk.PutObjectAsync(request))).StatusCode.ShouldBe(HttpStatusCode.PreconditionFailed);
        var owner = new ListObjectsV2Request { BucketName = Bucket, ExpectedBucketOwner = "999999999999" };
        (await Should.ThrowAsync<AmazonS3Exception>(() => sdk.ListObjectsV2Async(owner))).ErrorCode.ShouldBe("AccessDenied");
        var deleted = await sdk.DeleteObjectsAsync(new DeleteObjectsRequest { BucketName = Bucket, Objects = [new KeyVersion { Key = "once" }, new KeyVersion { Key = "never" }] });
        deleted.DeletedObjects.Count.ShouldBe(2);
        server.State.Objects(Bucket).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_restore_takes_its_time_and_its_copy_expires()
    {
        await using var server = await StrictS3Clients.StartAsync(new StrictS3Options { RestoreDelay = TimeSpan.FromHours(48) });
        using var sdk = server.Sdk();
        await sdk.PutObjectAsync(new PutObjectRequest { BucketName = Bucket, Key = "cold", ContentBody = "x", StorageClass = S3StorageClass.DeepArchive });
        Task<AmazonS3Exception> Refused() => Should.ThrowAsync<AmazonS3Exception>(() => sdk.GetObjectAsync(Bucket, "cold"));
        Task<RestoreObjectResponse> RestoreAsync(GlacierJobTier tier) =>
            sdk.RestoreObjectAsync(new RestoreObjectRequest { BucketName = Bucket, Key = "cold", Days = 3, RetrievalTier = tier });
        (await Refused()).ErrorCode.ShouldBe("InvalidObjectState");
        (await Should.ThrowAsync<AmazonS3Exception>(() => RestoreAsync(GlacierJobTier.Expedited))).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await RestoreAsync(GlacierJobTier.Bulk)).HttpStatusCode.ShouldBe(HttpStatusCode.Accepted);
        (await Should.ThrowAsync<AmazonS3Exception>(() => RestoreAsync(GlacierJobTier.Bulk))).ErrorCode.ShouldBe("RestoreAlreadyInProgress");
        (await sdk.GetObjectMetadataAsync(Bucket, "cold")).RestoreInProgress.ShouldBe(true);
        (await Refused()).ErrorCode.ShouldBe("InvalidObjectState");

        server.AdvanceStorageTime(TimeSpan.FromHours(49));
        using (var got = await sdk.GetObjectAsync(Bucket, "cold"))
            got.ContentLength.ShouldBe(1);
        var head = await sdk.GetObjectMetadataAsync(Bucket, "cold");
        head.RestoreInProgress.ShouldBe(false);
        head.RestoreExpiration.ShouldNotBeNull();
        (await RestoreAsync(GlacierJobTier.Bulk)).HttpStatusCode.ShouldBe(HttpStatusCode.OK);

        server.AdvanceStorageTime(TimeSpan.FromDays(5));
        (await Refused()).ErrorCode.ShouldBe("InvalidObjectState");
        (await RestoreAsync(GlacierJobTier.Standard)).HttpStatusCode.ShouldBe(HttpStatusCode.Accepted);
    }

    [Fact]
    public async Task Buckets_and_their_configurations()
    {
        await using var server = await StrictS3Clients.StartAsync(new StrictS3Options { Region = "eu-central-1" });
        server.State.AddForeignBucket("taken");
        using var sdk = server.Sdk();
        await sdk.PutBucketAsync(new PutBucketRequest { BucketName = "another", BucketRegionName = "eu-central-1" });
        (await Should.ThrowAsync<AmazonS3Exception>(() => sdk.PutBucketAsync(new PutBucketRequest { BucketName = "another", BucketRegionName = "eu-central-1" }))).ErrorCode.ShouldBe("BucketAlreadyOwnedByYou");
        (await Should.ThrowAsync<AmazonS3Exception>(() => sdk.PutBucketAsync(new PutBucketRequest { BucketName = "taken", BucketRegionName = "eu-central-1" }))).ErrorCode.ShouldBe("BucketAlreadyExists");
        (await sdk.ListBucketsAsync()).Buckets.Select(b => b.BucketName).ShouldBe(["another", Bucket]);
        (await sdk.GetBucketLocationAsync("another")).Location.Value.ShouldBe("eu-central-1");
        await sdk.PutPublicAccessBlockAsync(new PutPublicAccessBlockRequest { BucketName = "another", PublicAccessBlockConfiguration = new() { BlockPublicAcls = true } });
        (await sdk.GetPublicAccessBlockAsync(new GetPublicAccessBlockRequest { BucketName = "another" })).PublicAccessBlockConfiguration.BlockPublicAcls.ShouldBe(true);
        (await sdk.GetBucketEncryptionAsync(new GetBucketEncryptionRequest { BucketName = "another" })).ServerSideEncryptionConfiguration.ServerSideEncryptionRules.Count.ShouldBe(1);
        var rule = new LifecycleRule
        {
            Id = "abort", Status = LifecycleRuleStatus.Enabled, Filter = new LifecycleFilter { Prefix = "" }, AbortIncompleteMultipartUpload = new() { DaysAfterInitiation = 7 },
        };
        await sdk.PutLifecycleConfigurationAsync(new PutLifecycleConfigurationRequest { BucketName = "another", Configuration = new() { Rules = [rule] } });
        (await sdk.GetLifecycleConfigurationAsync(new GetLifecycleConfigurationRequest { BucketName = "another" })).Configuration.Rules.ShouldHaveSingleItem().Id.ShouldBe("abort");
        await sdk.DeleteBucketAsync("another");
        (await Should.ThrowAsync<AmazonS3Exception>(() => sdk.ListObjectsV2Async(new ListObjectsV2Request { BucketName = "another" }))).ErrorCode.ShouldBe("NoSuchBucket");
    }

    [Fact]
    public async Task Copies_tags_attributes_ranges_and_refusals()
    {
        await using var server = await StrictS3Clients.StartAsync();
        using var sdk = server.Sdk();
        await sdk.PutObjectAsync(new PutObjectRequest { BucketName = Bucket, Key = "from ü", ContentBody = "0123456789", TagSet = [new Tag { Key = "a", Value = "b c" }] });
        await sdk.CopyObjectAsync(new CopyObjectRequest { SourceBucket = Bucket, SourceKey = "from ü", DestinationBucket = Bucket, DestinationKey = "to", StorageClass = S3StorageClass.Glacier });
        (await sdk.GetObjectTaggingAsync(new GetObjectTaggingRequest { BucketName = Bucket, Key = "to" })).Tagging.ShouldHaveSingleItem().Value.ShouldBe("b c");
        var attributes = await sdk.GetObjectAttributesAsync(new GetObjectAttributesRequest { BucketName = Bucket, Key = "to", ObjectAttributes = [ObjectAttributes.ObjectSize, ObjectAttributes.StorageClass] });
        (attributes.ObjectSize, attributes.StorageClass.Value).ShouldBe((10L, "GLACIER"));
        using (var range = await sdk.GetObjectAsync(new GetObjectRequest { BucketName = Bucket, Key = "from ü", ByteRange = new ByteRange("bytes=-3") }))
        using (var reader = new StreamReader(range.ResponseStream))
            (await reader.ReadToEndAsync()).ShouldBe("789");
        (await Should.ThrowAsync<AmazonS3Exception>(() => sdk.GetObjectAsync(new GetObjectRequest { BucketName = Bucket, Key = "from ü", ByteRange = new ByteRange(10, 20) }))).ErrorCode.ShouldBe("InvalidRange");
        (await Should.ThrowAsync<AmazonS3Exception>(() => sdk.PutObjectAsync(new PutObjectRequest { BucketName = Bucket, Key = new string('ü', 513), ContentBody = "x" }))).ErrorCode.ShouldBe("KeyTooLongError");
        (await Should.ThrowAsync<AmazonS3Exception>(() => sdk.PutObjectAsync(new PutObjectRequest { BucketName = Bucket, Key = "k", ContentBody = "x", StorageClass = new S3StorageClass("FROZEN") }))).ErrorCode.ShouldBe("InvalidStorageClass");
        server.State.FlipByte(Bucket, "from ü");
        (await server.State.ReadAsync(Bucket, "from ü"))[0].ShouldBe((byte)'1');
        (await server.State.ReadAsync(Bucket, "to"))[0].ShouldBe((byte)'0');
    }

    [Fact]
    public async Task Parts_that_do_not_fit()
    {
        await using var server = await StrictS3Clients.StartAsync();
        using var sdk = server.Sdk();
        var upload = await sdk.InitiateMultipartUploadAsync(Bucket, "k");
        var parts = new List<PartETag>();
        for (var number = 1; number <= 2; number++)
        {
            var part = await sdk.UploadPartAsync(new UploadPartRequest { BucketName = Bucket, Key = "k", UploadId = upload.UploadId, PartNumber = number, InputStream = new MemoryStream([1]) });
            parts.Add(new PartETag(number, part.ETag));
        }

        Task<AmazonS3Exception> CompleteAsync(params PartETag[] chosen) => Should.ThrowAsync<AmazonS3Exception>(() =>
            sdk.CompleteMultipartUploadAsync(new CompleteMultipartUploadRequest { BucketName = Bucket, Key = "k", UploadId = upload.UploadId, PartETags = [.. chosen] }));
        (await CompleteAsync([.. parts])).ErrorCode.ShouldBe("EntityTooSmall");
        (await CompleteAsync(new PartETag(1, new string('0', 32)))).ErrorCode.ShouldBe("InvalidPart");
        server.State.Uploads(Bucket).ShouldHaveSingleItem().PartUploads.ShouldBe(new Dictionary<int, int> { [1] = 1, [2] = 1 });
        await sdk.AbortMultipartUploadAsync(Bucket, "k", upload.UploadId);
        (await Should.ThrowAsync<AmazonS3Exception>(() => sdk.AbortMultipartUploadAsync(Bucket, "k", upload.UploadId))).ErrorCode.ShouldBe("NoSuchUpload");
    }

    [Fact]
    public async Task Lesser_endpoints()
    {
        await using var rejecting = await StrictS3Clients.StartAsync(new StrictS3Options { RejectChecksumHeaders = true });
        using var sdk = rejecting.Sdk();
        var put = new PutObjectRequest { BucketName = Bucket, Key = "k", ContentBody = "x" };
        (await Should.ThrowAsync<AmazonS3Exception>(() => sdk.PutObjectAsync(put))).ErrorCode.ShouldBe("NotImplemented");

        await using var ignoring = await StrictS3Clients.StartAsync(new StrictS3Options { IgnoreChecksums = true });
        using var second = ignoring.Sdk();
        (await second.PutObjectAsync(Nine("SHA256", new byte[32]))).ChecksumSHA256.ShouldBeNull();

        await using var echoing = await StrictS3Clients.StartAsync(new StrictS3Options { EchoChecksumsUnverified = true });
        using var third = echoing.Sdk();
        (await third.PutObjectAsync(Nine("SHA256", new byte[32]))).ChecksumSHA256.ShouldBe(Convert.ToBase64String(new byte[32]));
    }
}
