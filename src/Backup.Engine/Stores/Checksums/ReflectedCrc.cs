using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using ArmAes = System.Runtime.Intrinsics.Arm.Aes;

namespace Backup.Engine.Stores.Checksums;

/// <summary>
/// The arithmetic of a reflected CRC of up to 64 bits: bit 0 of a register is its highest power of x.
/// Every table and constant is derived from the polynomial, so there is one number to get right.
/// </summary>
internal sealed class ReflectedCrc
{
    private const int Slices = 8;
    private const int BlockBytes = 16;
    private const int Lanes = 8;

    private readonly ulong _polynomial;
    private readonly ulong _one;
    private readonly ulong[] _table = new ulong[Slices * 256];
    private readonly ulong[] _powers = new ulong[66];
    private readonly Vector128<ulong> _foldOneBlock;
    private readonly Vector128<ulong> _foldAllLanes;

    /// <summary>Derives the tables.</summary>
    /// <param name="polynomial">The polynomial, reflected, without its leading term.</param>
    /// <param name="width">Its degree: 32 or 64.</param>
    public ReflectedCrc(ulong polynomial, int width)
    {
        _polynomial = polynomial;
        _one = 1UL << (width - 1);

        for (var value = 0; value < 256; value++)
        {
            var remainder = (ulong)value;
            for (var bit = 0; bit < 8; bit++)
                remainder = TimesX(remainder);
            _table[value] = remainder;
        }
        for (var index = 256; index < _table.Length; index++)
            _table[index] = (_table[index - 256] >> 8) ^ _table[(byte)_table[index - 256]];

        // _powers[k] is x to the power of 2^k: any length of zeros is a product of these.
        _powers[0] = _one >> 1;
        for (var k = 1; k < _powers.Length; k++)
            _powers[k] = Multiply(_powers[k - 1], _powers[k - 1]);

        _foldOneBlock = FoldConstants(BlockBytes * 8, width);
        _foldAllLanes = FoldConstants(BlockBytes * 8 * Lanes, width);
    }

    /// <summary>Whether this processor multiplies without carries.</summary>
    public static bool IsVectorised => Pclmulqdq.IsSupported || ArmAes.IsSupported;

    /// <summary>Carries a raw register (no final inversion) over <paramref name="data"/>.</summary>
    public ulong Update(ulong register, ReadOnlySpan<byte> data, bool portable) =>
        !portable && IsVectorised && data.Length >= BlockBytes * 2
            ? UpdateVectors(register, data)
            : UpdateTable(register, data);

    /// <summary>The finished CRC of A followed by B, from those of A and of B, for a CRC whose start and final inversion are the same.</summary>
    public ulong Combine(ulong crcA, ulong crcB, long lengthB)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(lengthB);
        var shift = _one;
        // Bytes are three powers of two further on than bits, which is why there are 63 + 3 powers.
        for (var (rest, k) = (lengthB, 3); rest != 0; rest >>= 1, k++)
        {
            if ((rest & 1) != 0)
                shift = Multiply(shift, _powers[k]);
        }
        return Multiply(shift, crcA) ^ crcB;
    }

    private ulong UpdateTable(ulong register, ReadOnlySpan<byte> data)
    {
        ref var table = ref MemoryMarshal.GetArrayDataReference(_table);
        while (data.Length >= Slices)
        {
            var x = register ^ BinaryPrimitives.ReadUInt64LittleEndian(data);
            register = Unsafe.Add(ref table, (7 * 256) + (int)(byte)x)
                ^ Unsafe.Add(ref table, (6 * 256) + (int)(byte)(x >> 8))
                ^ Unsafe.Add(ref table, (5 * 256) + (int)(byte)(x >> 16))
                ^ Unsafe.Add(ref table, (4 * 256) + (int)(byte)(x >> 24))
                ^ Unsafe.Add(ref table, (3 * 256) + (int)(byte)(x >> 32))
                ^ Unsafe.Add(ref table, (2 * 256) + (int)(byte)(x >> 40))
                ^ Unsafe.Add(ref table, 256 + (int)(byte)(x >> 48))
                ^ Unsafe.Add(ref table, (int)(x >> 56));
            data = data[Slices..];
        }
        foreach (var value in data)
            register = (register >> 8) ^ _table[(byte)(register ^ value)];
        return register;
    }

    // Intel's "Fast CRC Computation for Generic Polynomials": 128-bit remainders are carried forward by multiplying
    // each half with a power of x. The last one is an ordinary message of 16 bytes, which the table reduces.
    private ulong UpdateVectors(ulong register, ReadOnlySpan<byte> data)
    {
        var remainder = Load(data, 0) ^ Vector128.CreateScalar(register);

        if (data.Length >= BlockBytes * Lanes * 2)
        {
            var k = _foldAllLanes;
            var (a, b, c, d) = (remainder, Load(data, 1), Load(data, 2), Load(data, 3));
            var (e, f, g, h) = (Load(data, 4), Load(data, 5), Load(data, 6), Load(data, 7));
            for (data = data[(BlockBytes * Lanes)..]; data.Length >= BlockBytes * Lanes; data = data[(BlockBytes * Lanes)..])
            {
                a = Fold(a, k, Load(data, 0));
                b = Fold(b, k, Load(data, 1));
                c = Fold(c, k, Load(data, 2));
                d = Fold(d, k, Load(data, 3));
                e = Fold(e, k, Load(data, 4));
                f = Fold(f, k, Load(data, 5));
                g = Fold(g, k, Load(data, 6));
                h = Fold(h, k, Load(data, 7));
            }
            k = _foldOneBlock;
            remainder = Fold(Fold(Fold(Fold(Fold(Fold(Fold(a, k, b), k, c), k, d), k, e), k, f), k, g), k, h);
        }
        else
        {
            data = data[BlockBytes..];
        }

        for (; data.Length >= BlockBytes; data = data[BlockBytes..])
            remainder = Fold(remainder, _foldOneBlock, Load(data, 0));

        Span<byte> last = stackalloc byte[BlockBytes];
        remainder.AsByte().CopyTo(last);
        return UpdateTable(UpdateTable(0, last), data);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ulong> Load(ReadOnlySpan<byte> data, int block) =>
        Vector128.LoadUnsafe(ref MemoryMarshal.GetReference(data), (nuint)(block * BlockBytes)).AsUInt64();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ulong> Fold(Vector128<ulong> remainder, Vector128<ulong> constants, Vector128<ulong> next) => Pclmulqdq.IsSupported
        ? Pclmulqdq.CarrylessMultiply(remainder, constants, 0x00) ^ Pclmulqdq.CarrylessMultiply(remainder, constants, 0x11) ^ next
        : ArmAes.PolynomialMultiplyWideningLower(remainder.GetLower(), constants.GetLower())
            ^ ArmAes.PolynomialMultiplyWideningUpper(remainder, constants) ^ next;

    // The product of two reflected numbers comes out one power of x too high, hence the "- 1".
    // Narrow remainders sit at the top of the 64-bit lane, where x^0 is bit 63 for every width.
    private Vector128<ulong> FoldConstants(int bits, int width) =>
        Vector128.Create(PowerOfX(bits + 64 - 1) << (64 - width), PowerOfX(bits - 1) << (64 - width));

    private ulong PowerOfX(int exponent)
    {
        var power = _one;
        for (var i = 0; i < exponent; i++)
            power = TimesX(power);
        return power;
    }

    private ulong TimesX(ulong value) => (value & 1) == 0 ? value >> 1 : (value >> 1) ^ _polynomial;

    private ulong Multiply(ulong a, ulong b)
    {
        var product = 0UL;
        for (var bit = _one; bit != 0; bit >>= 1)
        {
            if ((a & bit) != 0)
                product ^= b;
            b = TimesX(b);
        }
        return product;
    }
}
