using System.Text;
using Backup.Engine.Reports;
using Backup.Engine.Runs;
using Backup.Engine.Stores;
using Backup.Engine.Tests.Stores.S3;

namespace Backup.Engine.Tests.Reports;

/// <summary>What the objects of a bucket cost, from its own listing.</summary>
public sealed class StorageCostTests(StrictS3Fixture s3) : IClassFixture<StrictS3Fixture>
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Objects_are_added_up_by_their_storage_class()
    {
        var location = StoreLocation.Parse($"s3://{StrictS3Fixture.Bucket}/{Guid.NewGuid():n}");
        await using (var store = await ObjectStores.OpenAsync(location, s3.Options, Token))
        {
            await store.WriteAsync("a", Content(100_000), new() { StorageClass = "DEEP_ARCHIVE" }, Token);
            await store.WriteAsync("b", Content(1), new() { StorageClass = "DEEP_ARCHIVE" }, Token);
            var run = new RunWriter(store, "jira", "acme", TimeProvider.System);
            await run.CommitAsync(run.Draft(Outcome.Completed), Token);
        }

        var report = await BackupReports.RunAsync(new() { Destinations = [new(location, [])], Costs = true, Store = s3.Options }, null, Token).SingleAsync(Token);
        report.Failure.ShouldBeNull();
        var cost = report.Cost.ShouldNotBeNull();
        cost.Classes.Select(use => (use.StorageClass, use.Objects)).ShouldBe([("DEEP_ARCHIVE", 2), ("STANDARD", 1)]);
        cost.Classes[0].Bytes.ShouldBe(100_001);
        // Below a hundredth of a cent there is nothing to say.
        cost.Monthly.ShouldBe(0);
        cost.Currency.ShouldBe("USD");

        (await BackupReports.RunAsync(new() { Destinations = [new(location, [])], Store = s3.Options }, null, Token).SingleAsync(Token)).Cost.ShouldBeNull();
    }

    [Fact]
    public void A_terabyte_in_Deep_Archive_costs_a_dollar_and_its_objects_overhead()
    {
        var prices = PriceTable.Current;
        // https://aws.amazon.com/s3/pricing/: 0.00099 USD a GB, and for each object 32 KB of it and 8 KB of STANDARD.
        prices.Monthly(prices.Classes["DEEP_ARCHIVE"], 1L << 40).ShouldBe((1024m * 0.00099m) + (32m * 0.00099m / (1 << 20)) + (8m * 0.023m / (1 << 20)), 0.000001m);
    }

    private static MemoryStream Content(int length) => new(Encoding.ASCII.GetBytes(new string('x', length)));
}
