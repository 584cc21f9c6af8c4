using Backup.Engine.Files;
using Backup.Engine.Folders;
using Backup.Engine.Tests.Files;
using FsCheck;
using FsCheck.Fluent;

namespace Backup.Engine.Tests.Folders;

public class FolderChangesTests
{
    private static readonly FileEntry File = new() { Path = "a", Kind = FileEntryKind.File, Size = 1, ModifiedTicks = 2, ChangedTicks = 3, FileId = 4, Mode = 0x1A4 };

    [Fact]
    public void Each_difference_has_its_word()
    {
        FolderChanges.Of(File, File).ShouldBe(Change.Unchanged);
        FolderChanges.Of(File with { Size = 2 }, File).ShouldBe(Change.Changed);
        FolderChanges.Of(File with { Kind = FileEntryKind.Symlink }, File).ShouldBe(Change.Changed);
        FolderChanges.Of(File with { ModifiedTicks = 1 }, File).ShouldBe(Change.Touched);
        FolderChanges.Of(File with { ChangedTicks = 1 }, File).ShouldBe(Change.Touched);
        FolderChanges.Of(File with { FileId = 1 }, File).ShouldBe(Change.Touched);
        FolderChanges.Of(File with { ChangedTicks = null, FileId = null, Mode = null }, File).ShouldBe(Change.Unchanged);
        FolderChanges.Of(File, File with { ChangedTicks = null, FileId = null, Mode = null }).ShouldBe(Change.Unchanged);
        FolderChanges.Of(File with { Mode = 0 }, File).ShouldBe(Change.MetadataOnly);

        var link = File with { Kind = FileEntryKind.Symlink, LinkTarget = "x" };
        FolderChanges.Of(link with { LinkTarget = "y" }, link).ShouldBe(Change.MetadataOnly);
        var directory = File with { Kind = FileEntryKind.Directory, Path = "a/" };
        FolderChanges.Of(directory with { ModifiedTicks = 9 }, directory).ShouldBe(Change.MetadataOnly);
        FolderChanges.Of(directory with { ChangedTicks = 9, FileId = 9 }, directory).ShouldBe(Change.Unchanged);
    }

    [Fact]
    public void Join_says_what_two_dictionaries_say()
    {
        var entries = from path in Gen.Elements("a", "a.txt", "a/", "a/b", "a0", "é", "\ue000", "\U00010000", "b", "c/", "c/d")
                      from size in Gen.Choose(0, 1)
                      from time in Gen.Choose(0, 1)
                      from id in Gen.Elements<long?>(null, 1, 2)
                      select new FileEntry { Path = path, Kind = path.EndsWith('/') ? FileEntryKind.Directory : FileEntryKind.File, Size = size, ModifiedTicks = time, FileId = id };
        var sides = Gen.ListOf(entries).Select(list => list.DistinctBy(entry => entry.Path, StringComparer.Ordinal).OrderBy(entry => entry.Path, Utf8Order.Instance).ToList());
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(2_000), Prop.ForAll(sides.ToArbitrary(), sides.ToArbitrary(), (now, then) =>
        {
            var (left, right) = (now.ToDictionary(entry => entry.Path, StringComparer.Ordinal), then.ToDictionary(entry => entry.Path, StringComparer.Ordinal));
            var expected = left.Keys.Union(right.Keys, StringComparer.Ordinal).Order(Utf8Order.Instance).Select(path =>
                (path, !right.TryGetValue(path, out var old) ? Change.New : !left.TryGetValue(path, out var entry) ? Change.Missing : FolderChanges.Of(entry, old)));
            var actual = FolderChanges.Compare(now, then.Select(entry => new CacheRow(entry))).Select(one => ((one.Entry ?? one.Row!.Entry).Path, one.Change));
            return actual.SequenceEqual(expected);
        }));
    }

    [Fact]
    public void Scan_out_of_order_is_refused() =>
        Should.Throw<InvalidOperationException>(() => FolderChanges.Compare([File with { Path = "b" }, File], []).ToList());
}
