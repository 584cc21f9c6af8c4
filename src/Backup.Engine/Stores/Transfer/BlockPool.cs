using System.Collections.Concurrent;

namespace Backup.Engine.Stores.Transfer;

/// <summary>Buffers in two sizes, reused for the life of a store. Which of them are in use is bounded by <see cref="MemoryBudget"/>.</summary>
internal sealed class BlockPool
{
    /// <summary>The size of a block for small objects, in bytes.</summary>
    public const int SmallBlock = 64 << 10;

    /// <summary>The size of a block for large objects, in bytes.</summary>
    public const int LargeBlock = 1 << 20;

    private readonly ConcurrentBag<byte[]> _small = [];
    private readonly ConcurrentBag<byte[]> _large = [];
    private long _allocated;

    /// <summary>The memory that a buffer for this many bytes takes.</summary>
    public static long Footprint(long bytes)
    {
        var block = BlockSize(bytes);
        return Math.Max(1, (bytes + block - 1) / block) * block;
    }

    /// <summary>The block size that suits a buffer of this many bytes.</summary>
    public static int BlockSize(long bytes) => bytes <= LargeBlock / 2 ? SmallBlock : LargeBlock;

    /// <summary>The bytes of all blocks that were ever made; none is thrown away.</summary>
    public long Allocated => Interlocked.Read(ref _allocated);

    public byte[] Rent(int blockSize)
    {
        if ((blockSize == SmallBlock ? _small : _large).TryTake(out var block))
            return block;
        Interlocked.Add(ref _allocated, blockSize);
        return GC.AllocateUninitializedArray<byte>(blockSize);
    }

    public void Return(byte[] block) => (block.Length == SmallBlock ? _small : _large).Add(block);
}
