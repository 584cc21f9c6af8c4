using System.IO.Compression;
using System.Text;
using Backup.Engine.Atlassian.Exports;

namespace Backup.Engine.Tests.Atlassian.Exports;

public sealed class ExportDamageTests(ITestOutputHelper output)
{
    // What may be flipped without harm, because nothing in the content depends on it and no second place says it.
    private static readonly Dictionary<string, string> Harmless = new(StringComparer.Ordinal)
    {
        ["local version needed"] = "Advice to the reader; writers legitimately give another one in the central directory, where zip64 came in late.",
        ["central version needed"] = "The same.",
        ["central version made by"] = "Names the writer.",
        ["zip64 end versions"] = "The same two.",
        ["local other extra"] = "Here the extended time stamp: extra fields of other kinds than zip64 are the writer's own.",
        ["central other extra"] = "The same.",
        ["central internal attributes"] = "Whether the content is text, for terminals.",
        ["central external attributes"] = "File permissions of the writer's system.",
        ["central comment"] = "Free text, and stated once.",
        ["end comment"] = "Free text, and stated once.",
    };

    // No size is a power of two: a zero that stands for "see behind" could be flipped into the right number.
    private static readonly TestEntry[] Entries =
    [
        new("entities.xml", "<entity-engine-xml><Issue id=\"1\"/></entity-engine-xml>"u8.ToArray(), Sizes: Sizes.Signed32),
        new("attachments/1/1/1", "Stored content, with its size in front."u8.ToArray(), false),
        new("attachments/1/2/1", "Stored content, with its size behind."u8.ToArray(), false, Sizes.Signed32),
        new("attachments/1/3/1", "Deflated, deflated, deflated over and over."u8.ToArray()),
        new("attachments/1/4/1", "Deflated, deflated, deflated over and over."u8.ToArray(), true, Sizes.Unsigned32),
        new("attachments/1/5/1", "Deflated, deflated, deflated over and over."u8.ToArray(), true, Sizes.Signed64, Zip64: true),
        new("attachments/1/6/1", "Stored in zip64."u8.ToArray(), false, Zip64: true),
        new("attachments/1/7/", [], false),
    ];

    public static TheoryData<bool> EndForms() => [false, true];

    [Theory]
    [MemberData(nameof(EndForms))]
    public async Task Every_flip_of_every_bit_is_caught_but_those_that_change_nothing(bool zip64)
    {
        var archive = TestArchive.Build(Entries, zip64, comment: "comment");
        var good = archive.Bytes;
        (await TestArchive.VerifyAsync(good)).Problem.ShouldBeNull();
        var missed = new SortedDictionary<string, int>(StringComparer.Ordinal);
        var sameContent = 0;
        for (var at = 0; at < good.Length; at++)
        {
            for (var bit = 0; bit < 8; bit++)
            {
                var bad = (byte[])good.Clone();
                bad[at] ^= (byte)(1 << bit);
                var report = await TestArchive.VerifyAsync(bad);
                report.Length.ShouldBe(good.Length);
                if (report.Problem is { } problem)
                {
                    problem.Offset.ShouldBeInRange(0, good.Length);
                    problem.Message.ShouldContain(problem.Offset.ToString());
                    continue;
                }

                var what = archive.At(at);
                // Deflate's last byte is padded, and some content can be said in several ways: what comes out is the same.
                if (what == "deflated data" && Contents(bad).SequenceEqual(Contents(good), StringComparer.Ordinal))
                    sameContent++;
                else
                    missed[what] = missed.GetValueOrDefault(what) + 1;
            }
        }

        output.WriteLine($"{good.Length * 8} flips; {sameContent} in deflated data came out the same; harmless: {string.Join(", ", missed)}");
        missed.Keys.Except(Harmless.Keys, StringComparer.Ordinal).ShouldBeEmpty();
    }

    [Theory]
    [MemberData(nameof(EndForms))]
    public async Task A_file_that_ends_early_is_caught_at_every_length(bool zip64)
    {
        var good = TestArchive.Build(Entries, zip64, comment: "comment").Bytes;
        for (var length = 0; length < good.Length; length++)
        {
            var problem = (await TestArchive.VerifyAsync(good[..length])).Problem.ShouldNotBeNull($"cut to {length} bytes");
            problem.Kind.ShouldBeOneOf(ExportProblemKind.Truncated, ExportProblemKind.MissingDirectory);
            problem.Offset.ShouldBe(length, problem.Message);
        }
    }

    [Fact]
    public async Task A_byte_too_many_or_too_few_is_caught_anywhere()
    {
        var archive = TestArchive.Build(Entries, zip64End: true, comment: "comment");
        var good = archive.Bytes;
        for (var at = 0; at <= good.Length; at++)
        {
            (await TestArchive.VerifyAsync([.. good[..at], 0x55, .. good[at..]])).IsWhole.ShouldBeFalse($"a byte put in at {at}");
            if (at < good.Length)
                (await TestArchive.VerifyAsync([.. good[..at], .. good[(at + 1)..]])).IsWhole.ShouldBeFalse($"the byte at {at} left out");
        }
    }

    [Fact]
    public async Task Two_entries_that_changed_places_are_caught()
    {
        // Same length, so that only the offsets in the central directory know.
        var (a, b) = (new TestEntry("a", "1111"u8.ToArray(), false), new TestEntry("b", "2222"u8.ToArray(), false));
        var one = TestArchive.Build([a, b]);
        var other = TestArchive.Build([b, a]);
        var directory = (int)one.Parts.First(part => part.What == "central signature").Start;
        (await TestArchive.VerifyAsync([.. other.Bytes[..directory], .. one.Bytes[directory..]])).Problem.ShouldNotBeNull().Kind.ShouldBe(ExportProblemKind.RecordMismatch);
    }

    private static List<string> Contents(byte[] zip)
    {
        // By the verifier's own reader no more than by ours: .NET's.
        using var archive = new ZipArchive(new MemoryStream(zip));
        return [.. archive.Entries.Select(entry =>
        {
            using var reader = new StreamReader(entry.Open(), Encoding.Latin1);
            return entry.FullName + reader.ReadToEnd();
        })];
    }
}
