using System.Text.Json;
using Backup.Engine.Atlassian.Exports;
using FsCheck;
using FsCheck.Fluent;

namespace Backup.Engine.Tests.Atlassian.Exports;

public sealed class ExportPropertyTests
{
    [Fact]
    public void Any_archive_gives_the_same_report_however_its_bytes_arrive() => Check(80, archive =>
    {
        var whole = Report(archive.Bytes, null);
        whole.ShouldBe(Report(archive.Bytes, archive.Chunks));
        JsonDocument.Parse(whole).RootElement.GetProperty("IsWhole").GetBoolean().ShouldBeTrue(whole);
        if (archive.Bytes.Length < 3000)
            whole.ShouldBe(Report(archive.Bytes, _ => 1));
    });

    [Fact]
    public void Any_damage_gives_the_same_report_however_its_bytes_arrive() => Check(80, archive =>
    {
        var random = new System.Random(archive.Seed);
        var bad = archive.Bytes[..random.Next(archive.Bytes.Length / 2, archive.Bytes.Length + 1)];
        for (var i = random.Next(3); i > 0 && bad.Length > 0; i--)
            bad[random.Next(bad.Length)] ^= (byte)(1 << random.Next(8));
        Report(bad, null).ShouldBe(Report(bad, archive.Chunks));
    });

    [Fact]
    public void Garbage_never_throws_and_never_passes() => Check(200, archive =>
    {
        var random = new System.Random(archive.Seed);
        var garbage = archive.Bytes.ToArray();
        // Records that look right and say anything.
        for (var i = 0; i < 1 + (garbage.Length / 20); i++)
            garbage[random.Next(4, garbage.Length)] = (byte)random.Next(256);
        JsonDocument.Parse(Report(garbage, null)).RootElement.GetProperty("Length").GetInt64().ShouldBe(garbage.Length);
        random.NextBytes(garbage.AsSpan(4));
        Report(garbage, archive.Chunks).ShouldContain("\"IsWhole\":false");
    });

    private static void Check(int count, Action<Sample> property) =>
        Prop.ForAll(Samples().ToArbitrary(), property).Check(Config.QuickThrowOnFailure.WithMaxTest(count).WithQuietOnSuccess(true));

    private static Gen<Sample> Samples()
    {
        var contents = Gen.Frequency(
            (2, Gen.Constant(Array.Empty<byte>())),
            (6, Gen.Sized(size => ArbMap.Default.GeneratorFor<byte>().ArrayOf().Resize(size * 4))),
            // Long runs, so that much comes out of little, and more than one buffer of it.
            (3, Gen.Choose(1, 300_000).SelectMany(length => Gen.Choose(0, 255).Select(value => Enumerable.Repeat((byte)value, length).ToArray()))),
            (2, Gen.Choose(1, 100_000).SelectMany(length => Gen.Choose(0, 1000).Select(seed => Noise(length, seed)))));
        var entries = from content in contents
                      from deflate in ArbMap.Default.GeneratorFor<bool>()
                      from sizes in Gen.Elements(Enum.GetValues<Sizes>())
                      from zip64 in ArbMap.Default.GeneratorFor<bool>()
                      let possible = deflate || sizes is not (Sizes.Unsigned32 or Sizes.Unsigned64) ? sizes : Sizes.Signed32
                      select (content, deflate, possible, zip64);
        return from list in entries.NonEmptyListOf()
               from zip64 in ArbMap.Default.GeneratorFor<bool>()
               from seed in Gen.Choose(0, int.MaxValue)
               select new Sample(
                   TestArchive.Build(list.Select((entry, i) => new TestEntry($"attachments/{i}", entry.content, entry.deflate, entry.possible, entry.zip64)), zip64).Bytes,
                   seed);
    }

    private static string Report(byte[] bytes, Func<int, int>? chunks) =>
        JsonSerializer.Serialize(TestArchive.VerifyAsync(bytes, chunks).GetAwaiter().GetResult());

    private static byte[] Noise(int length, int seed)
    {
        var bytes = new byte[length];
        new System.Random(seed).NextBytes(bytes);
        return bytes;
    }

    private sealed record Sample(byte[] Bytes, int Seed)
    {
        public int Chunks(int round) => new System.Random(HashCode(round)).Next(1, 1 << new System.Random(HashCode(~round)).Next(1, 17));

        public override string ToString() => $"{Bytes.Length} bytes, seed {Seed}: {Convert.ToHexString(Bytes.AsSpan(0, Math.Min(Bytes.Length, 200)))}";

        private int HashCode(int round) => unchecked((Seed * 397) ^ (round * 7919));
    }
}
