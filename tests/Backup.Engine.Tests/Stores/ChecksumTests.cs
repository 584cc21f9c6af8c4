using System.Diagnostics;
using System.Text;
using Backup.Engine.Stores.Checksums;

namespace Backup.Engine.Tests.Stores;

public sealed class ChecksumTests(ITestOutputHelper output)
{
    private const ulong NvmePolynomial = 0x9A6C9329AC4BC9B5;
    private const ulong IeeePolynomial = 0xEDB88320;

    [Theory]
    [InlineData("", 0x0UL, 0x0u)]
    [InlineData("123456789", 0xAE8B14860A799888UL, 0xCBF43926u)]
    [InlineData("The quick brown fox jumps over the lazy dog", null, 0x414FA339u)]
    public void Known_vectors(string text, ulong? crc64, uint crc32)
    {
        var data = Encoding.ASCII.GetBytes(text);
        if (crc64 is { } expected)
            Crc64Nvme.Hash(data).ShouldBe(expected);
        Crc32.Hash(data).ShouldBe(crc32);
    }

    // From the NVM Express NVM Command Set Specification, "64b CRC test cases": 4 KiB of zeros, of ones, and of the two ramps.
    [Fact]
    public void Vectors_of_the_NVMe_specification()
    {
        Crc64Nvme.Hash(new byte[4096]).ShouldBe(0x6482D367EB22B64EUL);
        Crc64Nvme.Hash(Enumerable.Repeat((byte)0xFF, 4096).ToArray()).ShouldBe(0xC0DDBA7302ECA3ACUL);
        Crc64Nvme.Hash(Enumerable.Range(0, 4096).Select(i => (byte)i).ToArray()).ShouldBe(0x3E729F5F6750449CUL);
        Crc64Nvme.Hash(Enumerable.Range(0, 4096).Select(i => (byte)(255 - i)).ToArray()).ShouldBe(0x9A2DF64B8E9E517EUL);
    }

    [Fact]
    public void S3_wants_eight_big_endian_bytes_in_base64() =>
        Crc64Nvme.ToBase64(0xAE8B14860A799888).ShouldBe(Convert.ToBase64String(Convert.FromHexString("AE8B14860A799888")));

    [Fact]
    public void Tables_and_vectors_agree_with_a_bitwise_reference_at_every_length()
    {
        ReflectedCrc.IsVectorised.ShouldBeTrue("this machine tests only the tables");
        var random = new Random(1);
        var data = new byte[601];
        random.NextBytes(data);
        for (var length = 0; length <= 600; length++)
        {
            // An odd start makes loads unaligned.
            var slice = data.AsSpan(length & 1, length);
            var expected64 = Bitwise(NvmePolynomial, 64, slice);
            var expected32 = (uint)Bitwise(IeeePolynomial, 32, slice);
            Crc64Nvme.Hash(slice).ShouldBe(expected64);
            Crc32.Hash(slice).ShouldBe(expected32);
            Of64(slice, portable: true).ShouldBe(expected64);
            Of32(slice, portable: true).ShouldBe(expected32);
        }
    }

    [Fact]
    public void Tables_and_vectors_agree_on_large_data()
    {
        var random = new Random(2);
        for (var round = 0; round < 20; round++)
        {
            var data = new byte[random.Next(1, 3_000_000)];
            random.NextBytes(data);
            Of64(data, portable: true).ShouldBe(Crc64Nvme.Hash(data));
            Of32(data, portable: true).ShouldBe(Crc32.Hash(data));
        }
    }

    [Fact]
    public void Blocks_of_any_size_give_the_same_value()
    {
        var random = new Random(3);
        var data = new byte[100_000];
        random.NextBytes(data);
        for (var round = 0; round < 50; round++)
        {
            var crc64 = new Crc64Nvme();
            var crc32 = new Crc32();
            for (var position = 0; position < data.Length;)
            {
                var take = Math.Min(data.Length - position, random.Next(0, round < 25 ? 40 : 5000));
                crc64.Append(data.AsSpan(position, take));
                crc32.Append(data.AsSpan(position, take));
                position += take;
            }
            crc64.Value.ShouldBe(Crc64Nvme.Hash(data));
            crc32.Value.ShouldBe(Crc32.Hash(data));

            crc64.Reset();
            crc32.Reset();
            crc64.Value.ShouldBe(0UL);
            crc32.Value.ShouldBe(0u);
        }
    }

    [Fact]
    public void Combining_two_equals_hashing_both()
    {
        var random = new Random(4);
        for (var round = 0; round < 200; round++)
        {
            var data = new byte[random.Next(0, 5000)];
            random.NextBytes(data);
            var split = random.Next(0, data.Length + 1);
            var (a, b) = (data.AsMemory(0, split), data.AsMemory(split));
            Crc64Nvme.Combine(Crc64Nvme.Hash(a.Span), Crc64Nvme.Hash(b.Span), b.Length).ShouldBe(Crc64Nvme.Hash(data));
            Crc32.Combine(Crc32.Hash(a.Span), Crc32.Hash(b.Span), b.Length).ShouldBe(Crc32.Hash(data));
        }
    }

    [Fact]
    public void Combining_is_associative_even_at_lengths_no_one_can_hash()
    {
        const long Half = 1L << 61;
        ulong a = 0x0123456789ABCDEF, b = 0xFEDCBA9876543210, c = 0x55AA55AA55AA55AA;
        var left = Crc64Nvme.Combine(Crc64Nvme.Combine(a, b, Half), c, Half);
        var right = Crc64Nvme.Combine(a, Crc64Nvme.Combine(b, c, Half), Half * 2);
        left.ShouldBe(right);
        Should.Throw<ArgumentOutOfRangeException>(() => Crc64Nvme.Combine(a, b, -1));
    }

    [Fact]
    public void Speed_is_printed()
    {
        var data = new byte[1 << 20];
        new Random(5).NextBytes(data);
        foreach (var (name, hash) in new (string, Action)[]
        {
            ("crc64nvme vector", () => Of64(data, portable: false)),
            ("crc64nvme table", () => Of64(data, portable: true)),
            ("crc32 vector", () => Of32(data, portable: false)),
            ("crc32 table", () => Of32(data, portable: true)),
        })
        {
            var best = TimeSpan.MaxValue;
            for (var round = 0; round < 60; round++)
            {
                var clock = Stopwatch.StartNew();
                hash();
                best = clock.Elapsed < best ? clock.Elapsed : best;
            }
            output.WriteLine($"{name}: {data.Length / best.TotalSeconds / 1e9:F1} GB/s");
        }
    }

    private static ulong Of64(ReadOnlySpan<byte> data, bool portable)
    {
        var crc = new Crc64Nvme(portable);
        crc.Append(data);
        return crc.Value;
    }

    private static uint Of32(ReadOnlySpan<byte> data, bool portable)
    {
        var crc = new Crc32(portable);
        crc.Append(data);
        return crc.Value;
    }

    private static ulong Bitwise(ulong polynomial, int width, ReadOnlySpan<byte> data)
    {
        var ones = width == 64 ? ulong.MaxValue : (1UL << width) - 1;
        var register = ones;
        foreach (var value in data)
        {
            register ^= value;
            for (var bit = 0; bit < 8; bit++)
                register = (register & 1) == 0 ? register >> 1 : (register >> 1) ^ polynomial;
        }
        return register ^ ones;
    }
}
