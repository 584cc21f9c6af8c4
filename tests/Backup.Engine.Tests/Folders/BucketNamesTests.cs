using Backup.Engine.Folders;
using Backup.Engine.Stores;
using FsCheck;
using FsCheck.Fluent;

namespace Backup.Engine.Tests.Folders;

public sealed class BucketNamesTests
{
    [Theory]
    [InlineData("/data/photos", "acme-data-photos")]
    [InlineData("/images/archives/archive1", "acme-images-archives-archive1")]
    public void A_path_that_loses_nothing_needs_no_hash(string folder, string bucket) => BucketNames.For("acme-", folder).ShouldBe(bucket);

    [Theory]
    [InlineData("/data/a_b")]
    [InlineData("/data/a-b")]
    [InlineData("/data/A/B")]
    [InlineData("/größe")]
    [InlineData(@"C:\Data")]
    [InlineData("/")]
    public void A_path_that_loses_something_has_one(string folder) => BucketNames.For("acme-", folder).ShouldMatch("^acme-([a-z0-9-]*-)?[0-9a-f]{10}$");

    [Fact]
    public void Folders_that_look_alike_have_buckets_of_their_own()
    {
        string[] folders = ["/data/a_b", "/data/a-b", "/data/a/b", "/data/a.b", "/data/A/b", "/data-a/b", "/data/a b", "/data/" + new string('x', 200), "/data/" + new string('x', 201)];
        folders.Select(folder => BucketNames.For("acme-", folder)).Distinct(StringComparer.Ordinal).Count().ShouldBe(folders.Length);
    }

    [Fact]
    public void Every_folder_gives_a_legal_name() => Prop.ForAll(
        ArbMap.Default.ArbFor<NonEmptyString>(),
        name => StoreLocation.ForBucket(BucketNames.For("backup-2-", "/" + name.Get)).Bucket!.Length <= 63).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData("")]
    [InlineData("-a")]
    [InlineData("Acme")]
    [InlineData("a_b")]
    [InlineData("this-prefix-is-much-too-long-for-any-bucket-name")]
    public void A_prefix_that_cannot_begin_a_name_is_refused(string prefix) =>
        Should.Throw<BackupException>(() => BucketNames.For(prefix, "/data")).Kind.ShouldBe(FailureKind.InvalidInput);
}
