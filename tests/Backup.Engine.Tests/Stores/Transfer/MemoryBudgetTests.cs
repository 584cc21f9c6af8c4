using Backup.Engine.Stores.Transfer;

namespace Backup.Engine.Tests.Stores.Transfer;

public sealed class MemoryBudgetTests
{
    [Fact]
    public async Task What_does_not_fit_waits_for_what_is_given_back()
    {
        var budget = new MemoryBudget(100);
        await budget.AcquireAsync(60, default);
        var second = budget.AcquireAsync(60, default);
        second.IsCompleted.ShouldBeFalse();
        budget.Release(60);
        await second.WaitAsync(TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task More_than_everything_is_served_alone()
    {
        var budget = new MemoryBudget(100);
        await budget.AcquireAsync(10, default);
        var huge = budget.AcquireAsync(1000, default);
        huge.IsCompleted.ShouldBeFalse();
        budget.Release(10);
        await huge.WaitAsync(TimeSpan.FromSeconds(10));
        budget.AcquireAsync(1, default).IsCompleted.ShouldBeFalse();
    }

    [Fact]
    public async Task Small_requests_do_not_overtake_a_large_one()
    {
        var budget = new MemoryBudget(100);
        await budget.AcquireAsync(50, default);
        var large = budget.AcquireAsync(80, default);
        var small = budget.AcquireAsync(10, default);
        small.IsCompleted.ShouldBeFalse();
        budget.Release(50);
        await Task.WhenAll(large, small).WaitAsync(TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task Whoever_gives_up_lets_the_next_one_in()
    {
        var budget = new MemoryBudget(100);
        await budget.AcquireAsync(50, default);
        using var giveUp = new CancellationTokenSource();
        var large = budget.AcquireAsync(80, giveUp.Token);
        var small = budget.AcquireAsync(10, default);
        await giveUp.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(large);
        await small.WaitAsync(TimeSpan.FromSeconds(10));
        budget.Release(60);
        await budget.AcquireAsync(100, default).WaitAsync(TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task The_budget_is_never_exceeded_under_load()
    {
        var budget = new MemoryBudget(1000);
        var (used, most) = (0L, 0L);
        await Parallel.ForEachAsync(Enumerable.Range(0, 5000), async (i, token) =>
        {
            var bytes = 1 + (i * 37 % 400);
            await budget.AcquireAsync(bytes, token);
            var now = Interlocked.Add(ref used, bytes);
            InterlockedMax(ref most, now);
            await Task.Yield();
            Interlocked.Add(ref used, -bytes);
            budget.Release(bytes);
        });
        most.ShouldBeLessThanOrEqualTo(1000);
        used.ShouldBe(0);
    }

    private static void InterlockedMax(ref long target, long value)
    {
        long seen;
        while ((seen = Volatile.Read(ref target)) < value && Interlocked.CompareExchange(ref target, value, seen) != seen)
        {
        }
    }
}
