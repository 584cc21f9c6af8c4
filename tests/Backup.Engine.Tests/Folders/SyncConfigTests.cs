using Backup.Engine.Aws;
using Backup.Engine.Folders;
using Backup.Engine.Tests.Fixtures;

namespace Backup.Engine.Tests.Folders;

public sealed class SyncConfigTests : IDisposable
{
    private const string Sample = """
        {
          "backup": {
            "folders": ["/folder/one", "/folder/two"],
            "roots": ["/root/folder/one", "/root/folder/two"]
          },
          "notification": {
            "webhook": "https://example.webhook.office.com/secret-path"
          },
          "aws": {
            "access_key": "AKIASAMPLE",
            "secret_access_key": "very-secret"
          }
        }
        """;

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void The_samples_file_is_read_as_it_is()
    {
        var config = Read(Sample);
        config.Backup.Folders.ShouldBe(["/folder/one", "/folder/two"]);
        config.Backup.Roots.ShouldBe(["/root/folder/one", "/root/folder/two"]);
        config.Notification!.Webhook!.Host.ShouldBe("example.webhook.office.com");
        var aws = config.Aws!.Under(new());
        aws.Keys!.AccessKey.ShouldBe("AKIASAMPLE");
        aws.Keys.SecretKey.ShouldBe("very-secret");
    }

    [Fact]
    public void Its_extensions_are_read()
    {
        var config = Read("""
            {
              // where to
              "backup": { "folders": ["/a"], "bucket_prefix": "acme-", "buckets": { "/a": "images--a" }, "storage_class": "STANDARD", "exclude": ["**/*.tmp"], },
              "aws": { "profile": "backup", "region": "eu-central-1", "endpoint_url": "https://s3.example.com" }
            }
            """);
        config.Backup.BucketPrefix.ShouldBe("acme-");
        config.Backup.Buckets!["/a"].ShouldBe("images--a");
        config.Backup.Exclude.ShouldBe(["**/*.tmp"]);
        var aws = config.Aws!.Under(new());
        aws.ProfileName.ShouldBe("backup");
        aws.Region.ShouldBe("eu-central-1");
        aws.EndpointUrl!.Host.ShouldBe("s3.example.com");
    }

    [Fact]
    public void What_was_given_goes_before_the_file()
    {
        var aws = Read(Sample).Aws!.Under(new AwsOptions { ProfileName = "mine", Region = "eu-west-1" });
        aws.ProfileName.ShouldBe("mine");
        aws.Region.ShouldBe("eu-west-1");
        aws.Keys.ShouldBeNull();
    }

    [Fact]
    public void Nothing_that_it_prints_is_a_secret()
    {
        var config = Read(Sample);
        var printed = $"{config} {config.Aws!.Under(new())}";
        printed.ShouldNotContain("very-secret");
        printed.ShouldNotContain("secret-path");
    }

    [Theory]
    [InlineData("{ \"backup\": { \"folders\": [\"/a\"], \"fodlers\": [] } }", "fodlers")]
    [InlineData("{ \"backup\": { \"folders\": [\"/a\"] },\n  \"aws\": { \"secret_access_key\": 5 } }", "line 2")]
    [InlineData("{\n\n  \"backup\": oops }", "line 3, column 13")]
    [InlineData("{ \"backup\": {} }", "neither")]
    [InlineData("null", "null")]
    [InlineData("", "line 1")]
    public void What_is_wrong_is_named_with_its_place(string json, string said)
    {
        var failure = Should.Throw<BackupException>(() => Read(json));
        failure.Kind.ShouldBe(FailureKind.InvalidInput);
        failure.Message.ShouldContain(said);
        failure.Message.ShouldContain("config.json");
    }

    [Fact]
    public void A_malformed_secret_is_not_repeated()
    {
        var failure = Should.Throw<BackupException>(() => Read("{ \"backup\": { \"folders\": [\"/a\"] }, \"aws\": { \"secret_access_key\": hunter2 } }"));
        failure.Message.ShouldNotContain("hunter2");
    }

    [Fact]
    public void A_missing_file_is_named() =>
        Should.Throw<BackupException>(() => SyncConfig.Read(_directory.Combine("nope.json"))).Kind.ShouldBe(FailureKind.NotFound);

    private SyncConfig Read(string json)
    {
        var file = _directory.Combine("config.json");
        File.WriteAllText(file, json);
        return SyncConfig.Read(file);
    }
}
