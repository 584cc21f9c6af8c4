using Backup.TestServers.S3.Checksums;

namespace Backup.TestServers.Atlassian.Exports;

/// <summary>CRC-32 of pieces put together, so that no one has to go through gigabytes to know the checksum of an attachment.</summary>
internal static class Crc32Combination
{
    private const uint Polynomial = 0xEDB88320;
    private const uint One = 0x80000000;

    public static uint Of(ReadOnlySpan<byte> data) => (uint)ReflectedCrc.Crc32.Finish(ReflectedCrc.Crc32.Append(ReflectedCrc.Crc32.Start(), data));

    /// <summary>x to the power of eight times <paramref name="bytes"/>: what a checksum is multiplied with to put so many bytes behind it.</summary>
    public static uint Shift(long bytes)
    {
        var (shift, power) = (One, One >> 8);
        for (; bytes != 0; bytes >>= 1, power = Multiply(power, power))
        {
            if ((bytes & 1) != 0)
                shift = Multiply(shift, power);
        }

        return shift;
    }

    /// <summary>The checksum of A followed by B.</summary>
    public static uint Combine(uint crcA, uint crcB, uint shiftOfB) => Multiply(shiftOfB, crcA) ^ crcB;

    private static uint Multiply(uint a, uint b)
    {
        var product = 0u;
        for (; a != 0; a <<= 1)
        {
            if ((a & One) != 0)
                product ^= b;
            b = (b & 1) == 0 ? b >> 1 : (b >> 1) ^ Polynomial;
        }

        return product;
    }
}
