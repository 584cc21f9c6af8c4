using Backup.Engine.GitHub.Git;
using Backup.Engine.Stores;
using Backup.Engine.Stores.S3;
using Backup.Engine.Tests.Stores.S3;
using static Backup.Engine.Tests.GitHub.Git.GitPlace;

namespace Backup.Engine.Tests.GitHub.Git;

/// <summary>Histories in S3: streams of unknown length, and archive classes.</summary>
public sealed class GitS3Tests(StrictS3Fixture s3) : IClassFixture<StrictS3Fixture>
{
    [Fact]
    public async Task Bundles_go_to_the_archive_and_what_cannot_be_read_there_is_stored_in_full_again()
    {
        await using var place = await CreateAsync();
        await using var store = S3ObjectStore.Open(StoreLocation.ForBucket(StrictS3Fixture.Bucket, "git"), s3.Options);
        await place.Source.CommitAsync("refs/heads/main", ("a.bin", Noise(12 << 20, 1)));
        var backup = new GitBackup(store, place.Http, new() { WorkPath = place.Directory.Combine("work"), StorageClass = "DEEP_ARCHIVE" });

        var first = await backup.BackupAsync(place.Request(), CancellationToken.None);

        first.Generation.Bundles.ShouldHaveSingleItem().StorageClass.ShouldBe("DEEP_ARCHIVE");
        (await store.HeadAsync(first.State.ManifestKey)).ShouldNotBeNull().Archive.ShouldBe(ArchiveState.Readable);
        await place.Source.CommitAsync("refs/heads/main", ("a.txt", Text("two")));
        var second = await backup.BackupAsync(place.Request() with { Previous = first.State }, CancellationToken.None);
        second.Generation.Full.ShouldNotBeNull().ShouldStartWith("the chain cannot be read");

        // With a mirror nothing has to be read back.
        var mirrored = new GitBackup(store, place.Http, new() { WorkPath = place.Directory.Combine("work"), MirrorPath = place.Directory.Combine("mirrors"), StorageClass = "DEEP_ARCHIVE" });
        var third = await mirrored.BackupAsync(place.Request() with { Previous = second.State, Full = true }, CancellationToken.None);
        await place.Source.CommitAsync("refs/heads/main", ("a.txt", Text("three")));
        var fourth = await mirrored.BackupAsync(place.Request() with { Previous = third.State }, CancellationToken.None);
        fourth.Generation.Full.ShouldBeNull();
        fourth.Generation.Bundles.Count.ShouldBe(2);

        // A restore says what it waits for.
        (await Should.ThrowAsync<BackupException>(() => GitRestore.ToFolderAsync(store, place.Directory.Combine("target"), new() { Folders = [place.Folder], WorkPath = place.Directory.Combine("work") }, CancellationToken.None))).Kind.ShouldBe(FailureKind.Archived);
    }

    [Fact]
    public async Task A_chain_in_S3_is_read_back_and_grows()
    {
        await using var place = await CreateAsync();
        await using var store = S3ObjectStore.Open(StoreLocation.ForBucket(StrictS3Fixture.Bucket, "chain"), s3.Options);
        var backup = new GitBackup(store, place.Http, new() { WorkPath = place.Directory.Combine("work") });
        GitState? state = null;
        for (var i = 0; i < 3; i++)
        {
            await place.Source.CommitAsync("refs/heads/main", ($"{i}.bin", Noise(100_000, i)));
            var result = await backup.BackupAsync(place.Request() with { Previous = state }, CancellationToken.None);
            result.Generation.Bundles.Count.ShouldBe(i + 1);
            state = result.State;
        }

        var target = new SourceRepository(place.Directory.Combine("target"));
        await GitRestore.ToFolderAsync(store, target.Path, new() { Folders = [place.Folder], WorkPath = place.Directory.Combine("work") }, CancellationToken.None);
        (await target.ReachableAsync()).ShouldBe(await place.Source.ReachableAsync());
    }
}
