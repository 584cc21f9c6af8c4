namespace Backup.Engine.Stores.Checksums;

/// <summary>CRC-32 (IEEE 802.3) as zip and gzip use it. Feed it in blocks of any size; not for several threads at once.</summary>
public sealed class Crc32
{
    private static readonly ReflectedCrc Arithmetic = new(0xEDB88320, 32);

    private readonly bool _portable;
    private ulong _register = uint.MaxValue;

    /// <summary>Creates the checksum of nothing.</summary>
    public Crc32()
    {
    }

    internal Crc32(bool portable) => _portable = portable;

    /// <summary>The checksum of all that was appended.</summary>
    public uint Value => ~(uint)_register;

    /// <summary>The checksum of <paramref name="data"/>.</summary>
    public static uint Hash(ReadOnlySpan<byte> data) => ~(uint)Arithmetic.Update(uint.MaxValue, data, portable: false);

    /// <summary>The checksum of A followed by B, from the checksums of both and B's length in bytes.</summary>
    public static uint Combine(uint crcA, uint crcB, long lengthB) => (uint)Arithmetic.Combine(crcA, crcB, lengthB);

    /// <summary>Continues with <paramref name="data"/>.</summary>
    public void Append(ReadOnlySpan<byte> data) => _register = Arithmetic.Update(_register, data, _portable);

    /// <summary>Starts again from nothing.</summary>
    public void Reset() => _register = uint.MaxValue;
}
