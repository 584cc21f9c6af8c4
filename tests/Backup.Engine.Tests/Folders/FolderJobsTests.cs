using Backup.Engine.Folders;
using Backup.Engine.Stores;
using Backup.Engine.Tests.Fixtures;

namespace Backup.Engine.Tests.Folders;

public sealed class FolderJobsTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void The_direct_children_of_a_root_are_backups_of_their_own()
    {
        foreach (var name in (string[])["b", "a/inner", "c"])
            Directory.CreateDirectory(_directory.Combine("root", name));
        File.WriteAllText(_directory.Combine("root", "file.txt"), "no folder");
        var jobs = FolderJobs.Resolve(new() { Roots = [_directory.Combine("root")], BucketPrefix = "acme-" });
        jobs.Select(job => Path.GetFileName(job.Folder)).ShouldBe(["a", "b", "c"]);
        jobs.Select(job => job.Location.Bucket).Distinct(StringComparer.Ordinal).Count().ShouldBe(3);
    }

    [Fact]
    public void A_bucket_does_not_depend_on_the_other_folders()
    {
        var alone = FolderJobs.Resolve(new() { Paths = ["/data/one"], BucketPrefix = "acme-" });
        var together = FolderJobs.Resolve(new() { Paths = ["/data/two", "/data/one"], BucketPrefix = "acme-" });
        together[1].Location.ShouldBe(alone[0].Location);
    }

    [Fact]
    public void A_named_bucket_goes_before_a_made_one() =>
        FolderJobs.Resolve(new() { Paths = ["/data/one/"], BucketPrefix = "acme-", Buckets = new Dictionary<string, string>(StringComparer.Ordinal) { ["/data/one"] = "images--one" } })[0].Location.Bucket.ShouldBe("images--one");

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_root_that_is_missing_or_empty_is_a_failure_and_not_nothing_to_do(bool exists)
    {
        if (exists)
            Directory.CreateDirectory(_directory.Combine("root"));
        var job = FolderJobs.Resolve(new() { Roots = [_directory.Combine("root")], BucketPrefix = "acme-" }).ShouldHaveSingleItem();
        job.Failure!.Kind.ShouldBe(FailureKind.NotFound);
        job.Failure.Advice!.ShouldContain("mounted");
    }

    [Fact]
    public void Overlapping_folders_are_refused() =>
        Should.Throw<BackupException>(() => FolderJobs.Resolve(new() { Paths = ["/data", "/data/inner"], BucketPrefix = "acme-" })).Message.ShouldContain("/data/inner");

    [Fact]
    public void Neighbours_with_one_beginning_do_not_overlap() =>
        FolderJobs.Resolve(new() { Paths = ["/data", "/data2"], BucketPrefix = "acme-" }).Count.ShouldBe(2);

    [Fact]
    public void A_destination_within_a_folder_is_refused() =>
        Should.Throw<BackupException>(() => FolderJobs.Resolve(new() { Paths = ["/data"], Destination = StoreLocation.ForDirectory("/data/backup") })).Kind.ShouldBe(FailureKind.InvalidInput);

    [Fact]
    public void A_folder_within_its_own_destination_is_refused() =>
        Should.Throw<BackupException>(() => FolderJobs.Resolve(new() { Paths = ["/backup/data"], Destination = StoreLocation.ForDirectory("/backup") })).Kind.ShouldBe(FailureKind.InvalidInput);

    [Fact]
    public void Nothing_to_back_up_and_nowhere_to_go_are_errors()
    {
        Should.Throw<BackupException>(() => FolderJobs.Resolve(new() { BucketPrefix = "acme-" })).Message.ShouldContain("No folder");
        Should.Throw<BackupException>(() => FolderJobs.Resolve(new() { Paths = ["/data"] })).Advice!.ShouldContain("-BucketPrefix");
    }
}
