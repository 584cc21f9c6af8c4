using Backup.Engine.Atlassian;
using Backup.Engine.Runs;
using Backup.Engine.Stores;
using Backup.Engine.Tests.Fixtures;
using Backup.TestServers.Atlassian.Exports;

namespace Backup.Engine.Tests.Atlassian;

public sealed class ExportSaveTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string Folder => _directory.Combine("downloads");

    public ExportSaveTests() => Directory.CreateDirectory(Folder);

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData(ExportProduct.Confluence, "confluence")]
    [InlineData(ExportProduct.Jira, "jira")]
    public async Task A_file_is_verified_and_stored_in_the_same_layout_once(ExportProduct product, string system)
    {
        var file = await WriteAsync("site-export.zip", product);
        var time = new DateTime(2026, 11, 20, 3, 4, 5, DateTimeKind.Utc);
        File.SetLastWriteTimeUtc(file, time);
        var result = (await SaveAsync(Options(file))).ShouldHaveSingleItem();
        result.Status.ShouldBe(SiteStatus.Completed, result.Reason);
        result.Key.ShouldBe($"{system}/acme.atlassian.net/20261120T030405Z/site-export.zip");
        result.Bytes.ShouldBe(new FileInfo(file).Length);
        var run = (await RunsAsync()).ShouldHaveSingleItem();
        run.System.ShouldBe(system);
        run.Properties!["trigger"].ShouldBe("saved");

        (await SaveAsync(Options(file))).ShouldHaveSingleItem().Status.ShouldBe(SiteStatus.Unchanged);
        (await RunsAsync()).Count.ShouldBe(1);
    }

    [Fact]
    public async Task Another_file_of_that_name_and_time_does_not_take_its_place()
    {
        var time = DateTime.UtcNow.AddDays(-1);
        var file = await WriteAsync("export.zip", ExportProduct.Confluence);
        File.SetLastWriteTimeUtc(file, time);
        var first = (await SaveAsync(Options(file))).Single();
        await WriteAsync("export.zip", ExportProduct.Confluence, 400_000);
        File.SetLastWriteTimeUtc(file, time);
        var second = (await SaveAsync(Options(file))).Single();
        (second.Status, second.Bytes).ShouldBe((SiteStatus.Completed, 400_000));
        second.Key.ShouldNotBe(first.Key, StringComparer.Ordinal);
    }

    [Fact]
    public async Task A_damaged_file_is_kept_aside_and_one_that_is_no_zip_too()
    {
        var file = await WriteAsync("export.zip", ExportProduct.Confluence);
        var bytes = await File.ReadAllBytesAsync(file, Stop);
        await File.WriteAllBytesAsync(file, bytes[..^1000], Stop);
        var cut = (await SaveAsync(Options(file) with { Product = AtlassianProduct.Confluence })).Single();
        (cut.Status, cut.Kind).ShouldBe((SiteStatus.Failed, FailureKind.Corrupt));
        cut.QuarantineKey.ShouldNotBeNull();

        var page = _directory.Combine("page.zip");
        await File.WriteAllTextAsync(page, "<html>Log in</html>", Stop);
        (await SaveAsync(Options(page))).Single().Kind.ShouldBe(FailureKind.InvalidInput);
        (await SaveAsync(Options(page) with { Product = AtlassianProduct.Jira })).Single().Kind.ShouldBe(FailureKind.Corrupt);
        (await SaveAsync(Options(_directory.Combine("missing.zip")))).Single().Kind.ShouldBe(FailureKind.NotFound);
    }

    [Fact]
    public async Task WhatIf_writes_nothing()
    {
        var file = await WriteAsync("export.zip", ExportProduct.Confluence);
        var result = (await SaveAsync(Options(file) with { WhatIf = true })).Single();
        (result.Status, result.WhatIf).ShouldBe((SiteStatus.Planned, true));
        Directory.Exists(_directory.Combine("store")).ShouldBeFalse();
    }

    [Fact]
    public async Task A_folder_gives_its_zip_files()
    {
        await WriteAsync("a.zip", ExportProduct.Confluence);
        await WriteAsync("b.ZIP", ExportProduct.Jira);
        await File.WriteAllTextAsync(Path.Combine(Folder, "notes.txt"), "no export", Stop);
        (await SaveAsync(Options(Folder))).Select(result => result.Status).ShouldBe([SiteStatus.Completed, SiteStatus.Completed]);
    }

    [Fact]
    public async Task A_watched_folder_gives_what_comes_once_it_has_come_to_rest()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var time = new FakeTime();
        var options = Options(Folder) with { Watch = true, Store = new() { Time = time }, PollInterval = TimeSpan.FromSeconds(10) };
        var results = new List<ExportResult>();
        var watching = Task.Run(
            async () =>
            {
                await foreach (var result in ExportSave.RunAsync(options, null, stop.Token))
                    results.Add(result);
            },
            Stop);

        var part = Path.Combine(Folder, "export.zip.crdownload");
        var whole = new GeneratedExport(new() { Size = 300_000 });
        await using (var file = File.Create(part))
            await whole.CopyToAsync(file, 0, 150_000, Stop);
        await LookAsync(time, 3);
        results.ShouldBeEmpty();

        // What a slow copy looks like: it has its name, and grows between two looks.
        File.Move(part, Path.Combine(Folder, "export.zip"));
        await LookAsync(time, 1);
        await using (var file = new FileStream(Path.Combine(Folder, "export.zip"), FileMode.Append))
            await whole.CopyToAsync(file, 150_000, 300_000, Stop);
        // Two looks find it at rest; what was found is told a moment later.
        await LookAsync(time, 3);
        while (results.Count == 0)
            await Task.Delay(5, Stop);
        var saved = results.ShouldHaveSingleItem();
        (saved.Status, saved.Bytes).ShouldBe((SiteStatus.Completed, 300_000));

        await stop.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => watching);
    }

    /// <summary>Lets the watch look so many times.</summary>
    private static async Task LookAsync(FakeTime time, int times)
    {
        for (var i = 0; i < times; i++)
        {
            // It is the watch's turn until it waits.
            while (!time.IsWaitedFor)
                await Task.Delay(5, Stop);
            time.Advance(TimeSpan.FromSeconds(10));
        }
    }

    private ExportSaveOptions Options(string path) => new()
    {
        Paths = [path],
        Site = AtlassianSite.Parse("acme.atlassian.net"),
        Destination = StoreLocation.ForDirectory(_directory.Combine("store")),
    };

    private static async Task<List<ExportResult>> SaveAsync(ExportSaveOptions options) => await ExportSave.RunAsync(options, null, Stop).ToListAsync(Stop);

    private async Task<List<RunManifest>> RunsAsync()
    {
        await using var store = await ObjectStores.OpenAsync(StoreLocation.ForDirectory(_directory.Combine("store")), null, Stop);
        return await new RunCatalog(store).ListAsync(new(), Stop).ToListAsync(Stop);
    }

    private async Task<string> WriteAsync(string name, ExportProduct product, long size = 300_000)
    {
        var path = Path.Combine(Folder, name);
        await using var file = File.Create(path);
        await new GeneratedExport(new() { Product = product, Size = size }).CopyToAsync(file, 0, size, Stop);
        return path;
    }
}
