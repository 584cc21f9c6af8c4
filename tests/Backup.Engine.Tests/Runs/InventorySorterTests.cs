using Backup.Engine.Runs;

namespace Backup.Engine.Tests.Runs;

public sealed class InventorySorterTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(100)]
    [InlineData(1000)]
    public async Task Entries_come_out_in_order_however_many_wait_in_files(int count)
    {
        var paths = Enumerable.Range(0, count).Select(i => $"com/{(char)('a' + (i * 7 % 26))}é😀/{i * 7919 % 1009:x}/file").Order(StringComparer.Ordinal).ToList();
        var shuffled = paths.ToArray();
        new Random(1).Shuffle(shuffled);

        using var sorter = new InventorySorter(held: 100);
        Parallel.ForEach(shuffled.Chunk(7), chunk => sorter.Add(chunk.Select(Entry)));
        sorter.Count.ShouldBe(count);
        var sorted = new List<InventoryEntry>();
        await foreach (var entry in sorter.ReadAsync(TestContext.Current.CancellationToken))
            sorted.Add(entry);
        sorted.Select(entry => entry.Path).ShouldBe(paths.Order(Utf8Order.Instance));
        sorted.ShouldAllBe(entry => entry.Sha256 == "sha of " + entry.Path && entry.Properties!["p"] == entry.Path);
    }

    [Fact]
    public void Nothing_of_it_stays()
    {
        var directory = Directory.CreateTempSubdirectory("sorter-");
        using (var sorter = new InventorySorter(held: 1, directory.FullName))
        {
            sorter.Add(Entry("a"));
            sorter.Add(Entry("b"));
            if (!OperatingSystem.IsWindows())
                directory.GetFiles().ShouldBeEmpty("a run that is killed would leave them");
        }

        // The directory itself can go: it is empty.
        directory.Delete();
    }

    private static InventoryEntry Entry(string path) => new()
    {
        Path = path,
        Type = InventoryEntryType.File,
        Sha256 = "sha of " + path,
        Properties = new Dictionary<string, string>(StringComparer.Ordinal) { ["p"] = path },
    };
}
