using Backup.Engine.Folders;

namespace Backup.Engine.Tests.Folders;

public sealed class StorageCostsTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_million_small_files_cost_what_their_requests_and_overheads_cost()
    {
        // reference/folder-sync.md, section 4: $50 of PUTs and about $0.21 a month of overhead.
        var costs = StorageCosts.For("DEEP_ARCHIVE", 8 << 20, Now)!;
        for (var i = 0; i < 1_000_000; i++)
            costs.Store(0);
        var total = costs.Total();
        total.Requests.ShouldBe(1_000_000);
        total.RequestCost.ShouldBe(50m);
        total.MonthlyCost.ShouldBeInRange(0.19m, 0.23m);
        total.EarlyDeletionCost.ShouldBe(0);
    }

    [Fact]
    public void A_large_file_costs_a_request_a_part_and_two_more()
    {
        var costs = StorageCosts.For("DEEP_ARCHIVE", 8 << 20, Now)!;
        costs.Store(80L << 20);
        costs.Total().Requests.ShouldBe(12);
    }

    [Fact]
    public void What_is_deleted_early_is_charged_for_the_rest_of_its_days()
    {
        var costs = StorageCosts.For("DEEP_ARCHIVE", 8 << 20, Now)!;
        costs.Remove(1L << 40, "DEEP_ARCHIVE", Now.AddDays(-90).UtcTicks);
        costs.Total().EarlyDeletionCost.ShouldBe(0.00099m * 1024 * 3, tolerance: 0.01m);
        costs.Remove(1L << 40, "DEEP_ARCHIVE", Now.AddDays(-180).UtcTicks);
        costs.Remove(1L << 40, "STANDARD", Now.UtcTicks);
        costs.Remove(1L << 40, null, null);
        costs.Total().EarlyDeletionCost.ShouldBe(0.00099m * 1024 * 3, tolerance: 0.01m);
    }

    [Fact]
    public void A_class_without_a_price_has_no_estimate() => StorageCosts.For("EXPRESS_ONEZONE", 8 << 20, Now).ShouldBeNull();
}
