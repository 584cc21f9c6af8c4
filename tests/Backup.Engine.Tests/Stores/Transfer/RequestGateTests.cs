using Backup.Engine.Stores;
using Backup.Engine.Stores.Transfer;
using Backup.Engine.Tests.Fixtures;

namespace Backup.Engine.Tests.Stores.Transfer;

public sealed class RequestGateTests
{
    private readonly FakeTime _time = new();

    [Fact]
    public async Task It_grows_while_more_is_moved()
    {
        var gate = new RequestGate(256, _time, null);
        gate.Limit.ShouldBe(24);
        await IntervalAsync(gate, 1 << 20);
        gate.Limit.ShouldBe(48);
        await IntervalAsync(gate, 1 << 20);
        gate.Limit.ShouldBe(96);
        // Twice as many that move half as much each move no more: back to the best.
        await IntervalAsync(gate, 1 << 19);
        gate.Limit.ShouldBe(48);
    }

    [Fact]
    public async Task It_never_exceeds_its_maximum()
    {
        var gate = new RequestGate(30, _time, null);
        for (var i = 0; i < 5; i++)
            await IntervalAsync(gate, (i + 1) << 20);
        gate.Limit.ShouldBe(30);
        new RequestGate(1, _time, null).Limit.ShouldBe(1);
    }

    [Fact]
    public async Task Failures_are_no_reason_to_grow()
    {
        var gate = new RequestGate(256, _time, null);
        await IntervalAsync(gate, null);
        gate.Limit.ShouldBe(24);
    }

    [Fact]
    public void It_halves_once_for_requests_that_complain_together()
    {
        var gate = new RequestGate(256, _time, null);
        for (var i = 0; i < 10; i++)
            gate.SlowDown();
        gate.Limit.ShouldBe(12);
        var alone = new RequestGate(1, _time, null);
        alone.SlowDown();
        alone.Limit.ShouldBe(1);
    }

    [Fact]
    public async Task Whoever_gives_up_leaves_no_turn_behind()
    {
        var gate = new RequestGate(2, _time, null);
        await gate.EnterAsync(default);
        await gate.EnterAsync(default);
        using var cancel = new CancellationTokenSource();
        var gaveUp = Enumerable.Range(0, 5).Select(_ => gate.EnterAsync(cancel.Token)).ToList();
        var next = gate.EnterAsync(default);
        await cancel.CancelAsync();
        foreach (var waiter in gaveUp)
            await Should.ThrowAsync<OperationCanceledException>(waiter);
        gate.Leave(1);
        await next.WaitAsync(TimeSpan.FromSeconds(10));
        gate.Leave(1);
        gate.Leave(1);
        gate.EnterAsync(default).IsCompleted.ShouldBeTrue();
        gate.EnterAsync(default).IsCompleted.ShouldBeTrue();
        gate.EnterAsync(default).IsCompleted.ShouldBeFalse();
    }

    [Fact]
    public async Task A_rate_is_kept()
    {
        var limit = new BandwidthLimit(1000, _time);
        limit.WaitAsync(500, default).IsCompleted.ShouldBeTrue();
        var second = limit.WaitAsync(1000, default);
        var third = limit.WaitAsync(1, default);
        _time.Advance(TimeSpan.FromMilliseconds(499));
        second.IsCompleted.ShouldBeFalse();
        _time.Advance(TimeSpan.FromMilliseconds(1));
        await second.WaitAsync(TimeSpan.FromSeconds(10));
        third.IsCompleted.ShouldBeFalse();
        _time.Advance(TimeSpan.FromSeconds(1));
        await third.WaitAsync(TimeSpan.FromSeconds(10));
        // What was not used is not saved up.
        _time.Advance(TimeSpan.FromHours(1));
        limit.WaitAsync(1, default).IsCompleted.ShouldBeTrue();
        limit.WaitAsync(1, default).IsCompleted.ShouldBeFalse();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(BlockPool.SmallBlock)]
    [InlineData(BlockPool.SmallBlock + 1)]
    [InlineData(BlockPool.LargeBlock / 2)]
    [InlineData((2 * BlockPool.LargeBlock) + 3)]
    public async Task A_buffer_holds_what_was_read_and_gives_its_room_back_once(int size)
    {
        var (pool, budget) = (new BlockPool(), new MemoryBudget(64 << 20));
        var data = new byte[size];
        new Random(1).NextBytes(data);
        using var source = new SourceReader(new OddStream(data, n => 1 + (n * 7919 % 70_000)), "k", new() { Length = size });
        var buffer = await PartBuffer.CreateAsync(pool, budget, size, default);
        await buffer.FillAsync(source, default);
        (await source.AtEndAsync(default)).ShouldBeTrue();
        buffer.Segments().SelectMany(segment => segment.ToArray()).ShouldBe(data);
        Convert.ToHexStringLower(buffer.Hash(System.Security.Cryptography.HashAlgorithmName.SHA256)).ShouldBe(source.Sha256);
        source.Crc64.ShouldBe(Backup.Engine.Stores.Checksums.Crc64Nvme.Hash(data));
        budget.Used.ShouldBeGreaterThanOrEqualTo(size);
        buffer.Dispose();
        buffer.Dispose();
        budget.Used.ShouldBe(0);
    }

    [Theory]
    [InlineData(9)]
    [InlineData(11)]
    public async Task A_source_of_another_length_is_found_before_it_is_sent(int declared)
    {
        using var source = new SourceReader(new OddStream(new byte[10]), "k", new WriteOptions { Length = declared });
        using var buffer = await PartBuffer.CreateAsync(new BlockPool(), new MemoryBudget(1 << 20), 10, default);
        (await Should.ThrowAsync<BackupException>(async () =>
        {
            await buffer.FillAsync(source, default);
            await source.AtEndAsync(default);
        })).Kind.ShouldBe(FailureKind.LengthMismatch);
    }

    /// <summary>One interval in which as many requests as are let through move so many bytes each, while others wait.</summary>
    private async Task IntervalAsync(RequestGate gate, int? bytes)
    {
        var limit = gate.Limit;
        for (var i = 0; i < limit; i++)
            await gate.EnterAsync(default);
        using var cancel = new CancellationTokenSource();
        var waiting = gate.EnterAsync(cancel.Token);
        await cancel.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(waiting);
        _time.Advance(TimeSpan.FromMilliseconds(250));
        for (var i = 0; i < limit; i++)
            gate.Leave(bytes);
    }
}
