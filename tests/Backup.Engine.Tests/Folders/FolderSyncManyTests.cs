using System.Text.Json;
using Backup.Engine.Folders;
using Backup.Engine.Stores;
using Backup.Engine.Tests.Fixtures;
using Backup.Engine.Tests.Stores.S3;

namespace Backup.Engine.Tests.Folders;

/// <summary>Several folders, with a bucket each: what the sample's config.json asks for.</summary>
public sealed class FolderSyncManyTests(StrictS3Fixture s3) : IClassFixture<StrictS3Fixture>, IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task The_samples_configuration_makes_a_bucket_a_folder()
    {
        Write("one/a.txt", "a");
        Write("roots/x/b.txt", "b");
        Write("roots/y_1/c.txt", "c");
        var file = _directory.Combine("config.json");
        await File.WriteAllTextAsync(file, JsonSerializer.Serialize(new
        {
            backup = new { folders = new[] { _directory.Combine("one") }, roots = new[] { _directory.Combine("roots") } },
            aws = new { access_key = s3.Options.Aws.Keys!.AccessKey, secret_access_key = s3.Options.Aws.Keys.SecretKey },
        }), Token);
        var options = Options() with { Config = SyncConfig.Read(file), Store = s3.Options with { Aws = s3.Options.Aws with { Keys = null } } };

        var results = await RunAsync(options);
        results.Select(result => result.Outcome).ShouldBe([Outcome.Completed, Outcome.Completed, Outcome.Completed]);
        results.Select(result => result.Destination).Distinct(StringComparer.Ordinal).Count().ShouldBe(3);
        foreach (var result in results)
        {
            var bucket = StoreLocation.Parse(result.Destination).Bucket!;
            s3.Server.State.Objects(bucket).Count(stored => stored.StorageClass == "DEEP_ARCHIVE").ShouldBe(1);
            // Nothing is written twice, and an old version of nothing is lost at once.
            using var control = S3Controls.Create(bucket, s3.Options);
            await control.EnsureBucketAsync(180, Token);
        }

        // A folder more moves none of the others.
        Write("roots/z/d.txt", "d");
        (await RunAsync(options)).Select(result => result.Outcome).ShouldBe([Outcome.Unchanged, Outcome.Unchanged, Outcome.Unchanged, Outcome.Completed], ignoreOrder: true);
    }

    [Fact]
    public async Task An_existing_bucket_is_adopted_without_sending_anything_again()
    {
        Write("mine/a.txt", "a");
        Write("mine/b.txt", "b");
        var path = _directory.Combine("mine");
        const string Bucket = "images--mine";
        s3.Server.State.CreateBucket(Bucket, "Enabled");

        // As the sample's own tool stored them: by absolute path, large ones in parts of 8 MiB, with neither metadata nor catalog.
        await File.WriteAllBytesAsync(Path.Combine(path, "b.txt"), System.Security.Cryptography.RandomNumberGenerator.GetBytes(20 << 20), Token);
        var keys = s3.Options.Aws.Keys!;
        var environment = new Dictionary<string, string?>(StringComparer.Ordinal) { ["AWS_ACCESS_KEY_ID"] = keys.AccessKey, ["AWS_SECRET_ACCESS_KEY"] = keys.SecretKey, ["AWS_DEFAULT_REGION"] = "us-east-1" };
        foreach (var name in (string[])["a.txt", "b.txt"])
        {
            var file = Path.Combine(path, name);
            (await PeerProgram.RunAsync("aws", ["--endpoint-url", s3.Server.Endpoint.AbsoluteUri, "s3", "cp", "--storage-class", "DEEP_ARCHIVE", file, $"s3://{Bucket}{file}"], environment)).Succeeded();
        }

        var result = (await RunAsync(Options() with { Paths = [path], Buckets = new Dictionary<string, string>(StringComparer.Ordinal) { [path] = Bucket } })).ShouldHaveSingleItem();
        result.Outcome.ShouldBe(Outcome.Completed);
        result.Adopted.ShouldBe(2);
        (result.New + result.Changed).ShouldBe(0);
        s3.Server.State.Versions(Bucket).Count(version => version.Key.EndsWith(".txt", StringComparison.Ordinal)).ShouldBe(2);
    }

    [Fact]
    public async Task A_configuration_file_and_the_caches_are_never_backed_up()
    {
        Write("all/a.txt", "a");
        var (path, file) = (_directory.Combine("all"), _directory.Combine("all", "config.json"));
        await File.WriteAllTextAsync(file, JsonSerializer.Serialize(new { backup = new { folders = new[] { path }, destination = $"s3://{StrictS3Fixture.Bucket}/all" } }), Token);
        var options = Options() with { Config = SyncConfig.Read(file), CachePath = Path.Combine(path, "caches"), StorageClass = "STANDARD" };
        (await RunAsync(options)).ShouldHaveSingleItem().TotalFiles.ShouldBe(1);
        (await RunAsync(options)).ShouldHaveSingleItem().TotalFiles.ShouldBe(1);
        s3.Server.State.Objects(StrictS3Fixture.Bucket).ShouldNotContain(stored => stored.Key.Contains("config.json", StringComparison.Ordinal) || stored.Key.EndsWith(".db", StringComparison.Ordinal));
        await Should.ThrowAsync<BackupException>(() => RunAsync(options with { CachePath = path }));
    }

    [Fact]
    public async Task A_root_that_vanished_fails_and_the_others_go_on()
    {
        Write("there/a.txt", "a");
        var results = await RunAsync(Options() with { Paths = [_directory.Combine("there")], Roots = [_directory.Combine("gone")], BucketPrefix = "acme-" });
        results.Single(result => result.Path.EndsWith("gone", StringComparison.Ordinal)).Outcome.ShouldBe(Outcome.Failed);
        results.Single(result => result.Path.EndsWith("there", StringComparison.Ordinal)).Outcome.ShouldBe(Outcome.Completed);
    }

    [Fact]
    public async Task A_bucket_that_somebody_else_has_is_not_written_to()
    {
        Write("mine2/a.txt", "a");
        var path = _directory.Combine("mine2");
        s3.Server.State.AddForeignBucket(BucketNames.For("acme-", path));
        var failure = await Should.ThrowAsync<BackupException>(() => RunAsync(Options() with { Paths = [path], BucketPrefix = "acme-" }));
        failure.Kind.ShouldBeOneOf(FailureKind.WrongOwner, FailureKind.PermissionDenied);
        failure.Advice.ShouldNotBeNull();
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private FolderSyncOptions Options() => new() { Store = s3.Options, CachePath = _directory.Combine("cache") };

    private static async Task<List<FolderSyncResult>> RunAsync(FolderSyncOptions options) =>
        await FolderSync.RunAsync(options, cancellationToken: Token).OfType<FolderSyncResult>().ToListAsync(Token);

    private void Write(string path, string text)
    {
        var file = _directory.Combine(path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text);
    }
}
