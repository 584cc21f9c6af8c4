using Backup.Engine.Stores.Transfer;

namespace Backup.Engine.Tests.Stores.Transfer;

public sealed class PartPlanTests
{
    private const long MiB = 1L << 20;
    private const long TiB = 1L << 40;

    [Fact]
    public void Five_tebibytes_of_known_length_fit_into_ten_thousand_parts()
    {
        var plan = new PartPlan(5 * TiB, 8 * MiB);
        (plan.SizeOf(1) * PartPlan.MaxParts).ShouldBeGreaterThanOrEqualTo(5 * TiB);
        (plan.SizeOf(1) % MiB).ShouldBe(0);
        plan.SizeOf(1).ShouldBeLessThanOrEqualTo(525 * MiB);
    }

    [Fact]
    public void Five_tebibytes_of_unknown_length_fit_into_ten_thousand_parts()
    {
        var plan = new PartPlan(null, 8 * MiB);
        Enumerable.Range(1, PartPlan.MaxParts).Sum(plan.SizeOf).ShouldBeGreaterThanOrEqualTo(5 * TiB);
        Enumerable.Range(1, PartPlan.MaxParts).Max(plan.SizeOf).ShouldBeLessThanOrEqualTo(5L << 30);
    }

    [Fact]
    public void A_stream_of_twenty_gigabytes_never_needs_parts_above_32_MiB()
    {
        var plan = new PartPlan(null, 8 * MiB);
        var (sent, number) = (0L, 0);
        while (sent < 20L << 30)
            sent += plan.SizeOf(++number);
        plan.SizeOf(number).ShouldBe(32 * MiB);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(8 * MiB)]
    [InlineData(80_000 * MiB)]
    public void Parts_stay_small_while_they_suffice(long length) => new PartPlan(length, 8 * MiB).SizeOf(1).ShouldBe(8 * MiB);

    [Fact]
    public void Parts_grow_with_the_first_byte_too_many() => new PartPlan((80_000 * MiB) + 1, 8 * MiB).SizeOf(1).ShouldBe(9 * MiB);
}
