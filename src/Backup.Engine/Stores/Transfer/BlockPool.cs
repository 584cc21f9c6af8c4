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

    /// <summary>The memory that a buffer for this many bytes takes.</summary>
    public static long Footprint(long bytes)
    {
        var block = BlockSize(bytes);
        return Math.Max(1, (bytes + block - 1) / block) * block;
    }

    /// <summary>The block size that suits a buffer of this many bytes.</summary>
    public static int BlockSize(long bytes) => bytes <= LargeBlock / 2 ? SmallBlock : LargeBlock;

    public byte[] Rent(int blockSize) =>
        (blockSize == SmallBlock ? _small : _large).TryTake(out var block) ? block : GC.AllocateUninitializedArray<byte>(blockSize);

    public void Return(byte[] block) => (block.Length == SmallBlock ? _small : _large).Add(block);
}
