using System.Buffers.Binary;
using System.Text;
using Backup.Engine.Atlassian.Exports;
using Backup.Engine.Stores.Checksums;

namespace Backup.Engine.Tests.Atlassian.Exports;

/// <summary>Memory is the process's: nothing else may run meanwhile.</summary>
[CollectionDefinition(nameof(MeasuredAlone), DisableParallelization = true)]
public sealed class MeasuredAlone;

[Collection(nameof(MeasuredAlone))]
public sealed class ExportMemoryTests(ITestOutputHelper output)
{
    private const int Entries = 1_000_000;
    private const int LocalLength = 30 + NameLength + 4;
    private const int NameLength = 20;

    [Fact]
    public async Task A_million_entries_in_reverse_order_take_32_bytes_each()
    {
        var empty = Measured();
        await using var verifier = new ExportVerifier();
        await WriteAsync(verifier, Entries, LocalLength, Local);
        var held = Measured() - empty;
        output.WriteLine($"{held / 1e6:F1} MB for {Entries} entries");
        // The list grows by doubling, to 1,048,576 of them; the pipe may hold its 4 MiB, twice over in its pool.
        held.ShouldBeLessThan((1_048_576L * 32) + (12 << 20));

        await WriteAsync(verifier, Entries, 46 + NameLength, (record, index) => Central(record, Entries - 1 - index));
        await verifier.WriteAsync(End());
        var report = await verifier.CompleteAsync();
        report.Problem.ShouldBeNull();
        report.EntryCount.ShouldBe(Entries);
    }

    private static long Measured() => GC.GetTotalMemory(forceFullCollection: true);

    private static async Task WriteAsync(ExportVerifier verifier, int count, int length, Action<Span<byte>, int> write)
    {
        const int Batch = 1000;
        var bytes = new byte[Batch * length];
        for (var index = 0; index < count; index += Batch)
        {
            for (var i = 0; i < Batch; i++)
                write(bytes.AsSpan(i * length, length), index + i);
            await verifier.WriteAsync(bytes);
        }
    }

    private static void Local(Span<byte> record, int index)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(record, 0x04034b50);
        Shared(record[6..], index);
        Name(record[30..], index);
        BinaryPrimitives.WriteInt32LittleEndian(record[^4..], index);
    }

    private static void Central(Span<byte> record, int index)
    {
        record.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(record, 0x02014b50);
        Shared(record[8..], index);
        BinaryPrimitives.WriteUInt32LittleEndian(record[42..], (uint)(index * (long)LocalLength));
        Name(record[46..], index);
    }

    // Stored, four bytes: the number.
    private static void Shared(Span<byte> fields, int index)
    {
        Span<byte> content = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(content, index);
        BinaryPrimitives.WriteUInt32LittleEndian(fields[8..], Crc32.Hash(content));
        BinaryPrimitives.WriteInt32LittleEndian(fields[12..], 4);
        BinaryPrimitives.WriteInt32LittleEndian(fields[16..], 4);
        BinaryPrimitives.WriteUInt16LittleEndian(fields[20..], NameLength);
    }

    private static void Name(Span<byte> name, int index) => Encoding.ASCII.GetBytes($"attachments/{index:D8}", name);

    private static byte[] End()
    {
        var (start, length) = (Entries * (long)LocalLength, Entries * (46L + NameLength));
        var record = new byte[56 + 20 + 22];
        BinaryPrimitives.WriteUInt32LittleEndian(record, 0x06064b50);
        BinaryPrimitives.WriteInt64LittleEndian(record.AsSpan(4), 44);
        BinaryPrimitives.WriteInt64LittleEndian(record.AsSpan(24), Entries);
        BinaryPrimitives.WriteInt64LittleEndian(record.AsSpan(32), Entries);
        BinaryPrimitives.WriteInt64LittleEndian(record.AsSpan(40), length);
        BinaryPrimitives.WriteInt64LittleEndian(record.AsSpan(48), start);
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(56), 0x07064b50);
        BinaryPrimitives.WriteInt64LittleEndian(record.AsSpan(64), start + length);
        BinaryPrimitives.WriteInt32LittleEndian(record.AsSpan(72), 1);
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(76), 0x06054b50);
        record.AsSpan(84, 12).Fill(0xFF);
        return record;
    }
}
