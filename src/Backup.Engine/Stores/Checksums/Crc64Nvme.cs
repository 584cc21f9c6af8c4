using System.Buffers.Binary;

namespace Backup.Engine.Stores.Checksums;

/// <summary>CRC-64/NVME, the checksum that S3 verifies whole objects with. Feed it in blocks of any size; not for several threads at once.</summary>
public sealed class Crc64Nvme
{
    private static readonly ReflectedCrc Arithmetic = new(0x9A6C9329AC4BC9B5, 64);

    private readonly bool _portable;
    private ulong _register = ulong.MaxValue;

    /// <summary>Creates the checksum of nothing.</summary>
    public Crc64Nvme()
    {
    }

    internal Crc64Nvme(bool portable) => _portable = portable;

    /// <summary>The checksum of all that was appended.</summary>
    public ulong Value => ~_register;

    /// <summary>The checksum of <paramref name="data"/>.</summary>
    public static ulong Hash(ReadOnlySpan<byte> data) => ~Arithmetic.Update(ulong.MaxValue, data, portable: false);

    /// <summary>The checksum of A followed by B, from the checksums of both and B's length in bytes.</summary>
    public static ulong Combine(ulong crcA, ulong crcB, long lengthB) => Arithmetic.Combine(crcA, crcB, lengthB);

    /// <summary>The value as S3's <c>x-amz-checksum-crc64nvme</c> has it: base64 of 8 big-endian bytes.</summary>
    public static string ToBase64(ulong value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, value);
        return Convert.ToBase64String(bytes);
    }

    /// <summary>Continues with <paramref name="data"/>.</summary>
    public void Append(ReadOnlySpan<byte> data) => _register = Arithmetic.Update(_register, data, _portable);

    /// <summary>Starts again from nothing.</summary>
    public void Reset() => _register = ulong.MaxValue;
}
