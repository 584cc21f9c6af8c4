using System.Security.Cryptography;

namespace Backup.Engine.Stores.Transfer;

/// <summary>One part of an object, held so that it can be sent again.</summary>
internal sealed class PartBuffer : IDisposable
{
    private readonly BlockPool _pool;
    private readonly MemoryBudget _budget;
    private readonly long _footprint;
    private readonly List<byte[]> _blocks = [];
    private int _disposed;

    private PartBuffer(BlockPool pool, MemoryBudget budget, long capacity)
    {
        (_pool, _budget, Capacity) = (pool, budget, capacity);
        _footprint = BlockPool.Footprint(capacity);
    }

    /// <summary>The most bytes that it takes.</summary>
    public long Capacity { get; }

    private int BlockSize => BlockPool.BlockSize(Capacity);

    /// <summary>The bytes that it holds.</summary>
    public long Length { get; private set; }

    /// <summary>Waits for room in the budget.</summary>
    public static async Task<PartBuffer> CreateAsync(BlockPool pool, MemoryBudget budget, long capacity, CancellationToken cancellationToken)
    {
        var buffer = new PartBuffer(pool, budget, capacity);
        await budget.AcquireAsync(buffer._footprint, cancellationToken);
        return buffer;
    }

    /// <summary>Reads until the buffer is full or the source ends.</summary>
    public async ValueTask FillAsync(SourceReader source, CancellationToken cancellationToken)
    {
        while (Length < Capacity)
        {
            var used = (int)(Length % BlockSize);
            if (used == 0)
                _blocks.Add(_pool.Rent(BlockSize));
            var room = (int)Math.Min(BlockSize - used, Capacity - Length);
            var read = await source.ReadAsync(_blocks[^1].AsMemory(used, room), cancellationToken);
            if (read == 0)
                return;
            Length += read;
        }
    }

    /// <summary>What it holds, block by block.</summary>
    public IEnumerable<ReadOnlyMemory<byte>> Segments()
    {
        var left = Length;
        foreach (var block in _blocks)
        {
            if (left == 0)
                yield break;
            var count = (int)Math.Min(block.Length, left);
            yield return block.AsMemory(0, count);
            left -= count;
        }
    }

    /// <summary>A hash of what it holds.</summary>
    public byte[] Hash(HashAlgorithmName algorithm)
    {
        using var hash = IncrementalHash.CreateHash(algorithm);
        foreach (var segment in Segments())
            hash.AppendData(segment.Span);
        return hash.GetHashAndReset();
    }

    /// <summary>Gives blocks and room back, once.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        foreach (var block in _blocks)
            _pool.Return(block);
        _blocks.Clear();
        _budget.Release(_footprint);
    }
}
