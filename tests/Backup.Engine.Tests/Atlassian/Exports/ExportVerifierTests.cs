using System.Text;
using Backup.Engine.Atlassian.Exports;

namespace Backup.Engine.Tests.Atlassian.Exports;

public sealed class ExportVerifierTests
{
    private static readonly byte[] Text = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("Some text that compresses well. ", 500)));

    public static TheoryData<bool, Sizes, bool> Forms()
    {
        var forms = new TheoryData<bool, Sizes, bool>();
        foreach (var sizes in Enum.GetValues<Sizes>())
        {
            forms.Add(true, sizes, false);
            forms.Add(true, sizes, true);
            // Stored data without a size before it or a signature behind it has no end that could be found.
            if (sizes is not (Sizes.Unsigned32 or Sizes.Unsigned64))
            {
                forms.Add(false, sizes, false);
                forms.Add(false, sizes, true);
            }
        }

        return forms;
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public async Task Every_form_of_entry_is_read(bool deflate, Sizes sizes, bool zip64)
    {
        byte[][] contents = [Text, [], [1], "PK\x07\x08 and PK\x07\x08 again"u8.ToArray(), Noise(200_000)];
        var archive = TestArchive.Build(contents.Select((content, index) => new TestEntry($"attachments/1/{index}/1", content, deflate, sizes, zip64)), zip64);
        var report = await TestArchive.VerifyAsync(archive.Bytes);
        report.Problem.ShouldBeNull();
        report.IsWhole.ShouldBeTrue();
        report.EntryCount.ShouldBe(5);
        report.AttachmentCount.ShouldBe(5);
        report.UncompressedBytes.ShouldBe(contents.Sum(content => content.LongLength));
        report.Length.ShouldBe(archive.Bytes.Length);
        report.Kind.ShouldBe(ExportKind.Attachments);
    }

    [Fact]
    public async Task A_checksum_that_looks_like_a_signature_is_no_signature()
    {
        var content = Forge(0x08074b50);
        foreach (var sizes in Enum.GetValues<Sizes>())
            (await TestArchive.VerifyAsync(TestArchive.Of(new TestEntry("a", content, true, sizes), new TestEntry("b", Text)))).Problem.ShouldBeNull(sizes.ToString());
    }

    [Fact]
    public async Task Stored_data_may_hold_archives_with_descriptors_of_their_own()
    {
        var inner = TestArchive.Of(Enumerable.Range(0, 3000).Select(i => new TestEntry($"inner-{i}", Noise(i % 50), false, Sizes.Signed32)));
        var report = await TestArchive.VerifyAsync(TestArchive.Of(new TestEntry("outer", inner, false, Sizes.Signed32), new TestEntry("next", Text)));
        report.Problem.ShouldBeNull();
        report.EntryCount.ShouldBe(2);
    }

    [Fact]
    public async Task The_central_directory_may_have_any_order()
    {
        var entries = Enumerable.Range(0, 50).Select(i => new TestEntry($"e{i}", [(byte)i])).ToArray();
        (await TestArchive.VerifyAsync(TestArchive.Build(entries, directoryOrder: i => 49 - i).Bytes)).IsWhole.ShouldBeTrue();
        (await TestArchive.VerifyAsync(TestArchive.Build(entries, directoryOrder: i => i * 7 % 50).Bytes)).IsWhole.ShouldBeTrue();
        var twice = await TestArchive.VerifyAsync(TestArchive.Build(entries, directoryOrder: i => i == 9 ? 8 : i).Bytes);
        twice.Problem.ShouldNotBeNull().Kind.ShouldBe(ExportProblemKind.RecordMismatch);
        twice.Problem.Message.ShouldContain("'e8'");
        twice.Problem.Message.ShouldContain("twice");
    }

    [Fact]
    public async Task A_comment_at_the_end_is_part_of_the_archive() =>
        (await TestArchive.VerifyAsync(TestArchive.Build([new("a", Text)], comment: "made by hand").Bytes)).IsWhole.ShouldBeTrue();

    [Fact]
    public async Task Encrypted_entries_and_other_methods_are_told()
    {
        var encrypted = await TestArchive.VerifyAsync(TestArchive.Of(new TestEntry("plain", Text), new TestEntry("secret", Text, Flags: 1)));
        encrypted.Problem.ShouldNotBeNull().Kind.ShouldBe(ExportProblemKind.Encrypted);
        encrypted.Problem.Entry.ShouldBe("secret");
        encrypted.Problem.ToException().Kind.ShouldBe(FailureKind.NotSupported);

        var bzip2 = await TestArchive.VerifyAsync(TestArchive.Of(new TestEntry("a", Text, Method: 12)));
        bzip2.Problem.ShouldNotBeNull().Kind.ShouldBe(ExportProblemKind.Unsupported);
        bzip2.Problem.Message.ShouldContain("method 12");
    }

    [Theory]
    [InlineData("<!DOCTYPE html><html><body>Log in</body></html>", "web page")]
    [InlineData("\n  <html>", "web page")]
    [InlineData("{\"error\":\"no\"}", "does not begin with a zip entry")]
    public async Task What_is_no_archive_is_told(string content, string expected)
    {
        var report = await TestArchive.VerifyAsync(Encoding.UTF8.GetBytes(content));
        report.Problem.ShouldNotBeNull().Kind.ShouldBe(ExportProblemKind.NotAZip);
        report.Problem.Message.ShouldContain(expected);
        report.Length.ShouldBe(content.Length);
    }

    [Fact]
    public async Task Bytes_before_between_and_after_are_told_where_they_are()
    {
        var archive = TestArchive.Build([new("a", Text), new("b", Text)]);
        var bytes = archive.Bytes;
        var second = archive.Parts.Where(part => part.What == "local signature").ElementAt(1).Start;
        await Expect([0, .. bytes], ExportProblemKind.NotAZip, 0);
        await Expect([.. bytes, 0], ExportProblemKind.UnexpectedData, bytes.Length);
        await Expect([.. bytes[..(int)second], 0, .. bytes[(int)second..]], ExportProblemKind.UnexpectedData, second);
        await Expect([], ExportProblemKind.Truncated, 0);
        await Expect(TestArchive.Of(), ExportProblemKind.Empty, 0);
    }

    [Fact]
    public async Task A_flipped_byte_of_data_is_told_with_entry_offset_and_both_checksums()
    {
        var archive = TestArchive.Build([new("a", Text), new("attachments/1/2/3", Noise(1000), false), new("c", Text)]);
        var (bytes, data) = (archive.Bytes, archive.Parts.Single(part => part.What == "stored data").Start);
        bytes[data + 500] ^= 1;
        var problem = (await TestArchive.VerifyAsync(bytes)).Problem.ShouldNotBeNull();
        problem.Kind.ShouldBe(ExportProblemKind.ChecksumMismatch);
        problem.Offset.ShouldBe(data);
        problem.Entry.ShouldBe("attachments/1/2/3");
        problem.Message.ShouldContain($"offset {data}");
        problem.ToException().Kind.ShouldBe(FailureKind.Corrupt);
    }

    [Fact]
    public async Task Hostile_headers_are_told_not_followed()
    {
        var archive = TestArchive.Build([new("a\n\u001b[31m" + new string('x', 60_000), Text, Zip64: true)]);
        (await TestArchive.VerifyAsync(archive.Bytes)).Problem.ShouldBeNull();
        var bytes = archive.Bytes;
        bytes.AsSpan((int)archive.Parts.Single(part => part.What == "local zip64").Start + 4, 16).Fill(0xFF);
        var problem = (await TestArchive.VerifyAsync(bytes)).Problem.ShouldNotBeNull();
        problem.Kind.ShouldBe(ExportProblemKind.RecordMismatch);
        problem.Message.ShouldContain("below zero");
        problem.Message.Length.ShouldBeLessThan(500);
        problem.Message.ShouldNotContain("\u001b");
    }

    [Fact]
    public async Task A_missing_central_directory_is_told()
    {
        var archive = TestArchive.Build([new("a", Text), new("b", Text)]);
        var start = archive.Parts.First(part => part.What == "central signature").Start;
        await Expect(archive.Bytes[..(int)start], ExportProblemKind.MissingDirectory, start);
        await Expect([.. archive.Bytes[..(int)start], .. TestArchive.Of()], ExportProblemKind.RecordMismatch, start);
    }

    [Fact]
    public async Task A_problem_is_known_before_the_end_and_the_rest_is_still_counted()
    {
        await using var verifier = new ExportVerifier();
        await verifier.WriteAsync("this is no archive"u8.ToArray());
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (verifier.Problem is null)
            await Task.Delay(1, patience.Token);
        for (var i = 0; i < 100; i++)
            await verifier.WriteAsync(new byte[1 << 20]);
        (await verifier.CompleteAsync()).Length.ShouldBe(18 + (100L << 20));
    }

    [Fact]
    public async Task Watching_a_stream_changes_nothing_in_it()
    {
        var bytes = TestArchive.Of(new TestEntry("a", Noise(300_000)));
        await using var verifier = new ExportVerifier();
        using var copy = new MemoryStream();
        await verifier.Watch(new MemoryStream(bytes)).CopyToAsync(copy);
        copy.ToArray().ShouldBe(bytes);
        (await verifier.CompleteAsync()).IsWhole.ShouldBeTrue();
        (await ExportVerifier.VerifyAsync(new MemoryStream(bytes))).IsWhole.ShouldBeTrue();
    }

    [Fact]
    public async Task Giving_up_in_the_middle_leaves_nothing_running()
    {
        var verifier = new ExportVerifier();
        await verifier.WriteAsync(TestArchive.Of(new TestEntry("a", Noise(300_000))).AsMemory(0, 1000));
        await verifier.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task The_kind_the_objects_and_the_descriptor_are_recognised()
    {
        var confluence = await TestArchive.VerifyAsync(TestArchive.Of(
            new TestEntry("exportDescriptor.properties", "#x\nexportType=all\nsource=cloud\nlicense=secret\n"u8.ToArray(), false),
            new TestEntry("entities.xml", "<hibernate-generic datetime=\"2026-11-20\"><object class=\"Page\" package=\"p\"><property class='Space'/></object><object class='Page'/><object class=\"Space\"/></hibernate-generic>"u8.ToArray()),
            new TestEntry("attachments/", []),
            new TestEntry("attachments/1/2/3", Text),
            new TestEntry("plugin-data/broken.xml", "<not"u8.ToArray())));
        confluence.Problem.ShouldBeNull();
        confluence.Kind.ShouldBe(ExportKind.ConfluenceSite);
        confluence.Entities.ShouldBe(new Dictionary<string, long>(StringComparer.Ordinal) { ["Page"] = 2, ["Space"] = 1 });
        confluence.Descriptor.ShouldBe(new Dictionary<string, string>(StringComparer.Ordinal) { ["exportType"] = "all", ["source"] = "cloud", ["date"] = "2026-11-20" }, ignoreOrder: true);
        confluence.AttachmentCount.ShouldBe(1);
        confluence.DocumentCount.ShouldBe(1);

        // Without entities.xml at the top, as Confluence Cloud's may be.
        (await TestArchive.VerifyAsync(TestArchive.Of(new TestEntry("exportDescriptor.properties", "exportType=space\nspaceKey=X"u8.ToArray())))).Kind.ShouldBe(ExportKind.ConfluenceSpace);

        var jira = await TestArchive.VerifyAsync(TestArchive.Of(
            new TestEntry("entities.xml", "<?xml version=\"1.0\"?><entity-engine-xml date=\"1\"><Issue id='1'><description/></Issue><Action/><Issue/></entity-engine-xml>"u8.ToArray()),
            new TestEntry("activeobjects.xml", "<backup/>"u8.ToArray())));
        jira.Problem.ShouldBeNull();
        jira.Kind.ShouldBe(ExportKind.Jira);
        jira.Entities.ShouldBe(new Dictionary<string, long>(StringComparer.Ordinal) { ["Action"] = 1, ["Issue"] = 2 });
        jira.DocumentCount.ShouldBe(2);

        (await TestArchive.VerifyAsync(TestArchive.Of(new TestEntry("readme.txt", Text)))).Kind.ShouldBe(ExportKind.Unknown);
    }

    [Fact]
    public async Task A_document_that_stops_is_told_though_every_byte_is_right()
    {
        var archive = TestArchive.Build([new("entities.xml", "<entity-engine-xml><Issue id='1'/><Issue id='2'>"u8.ToArray()), new("b", Text)]);
        var report = await TestArchive.VerifyAsync(archive.Bytes);
        var problem = report.Problem.ShouldNotBeNull();
        problem.Kind.ShouldBe(ExportProblemKind.BrokenXml);
        problem.Offset.ShouldBe(archive.Parts.First(part => part.What == "deflated data").Start);
        problem.Message.ShouldContain("<Issue> still open");
        report.EntryCount.ShouldBe(2);
        report.DocumentCount.ShouldBe(0);
    }

    [Fact]
    public async Task The_number_of_classes_is_bounded()
    {
        var xml = "<entity-engine-xml>" + string.Concat(Enumerable.Range(0, 5000).Select(i => $"<E{i}/>")) + "</entity-engine-xml>";
        var report = await TestArchive.VerifyAsync(TestArchive.Of(new TestEntry("entities.xml", Encoding.UTF8.GetBytes(xml))));
        report.Entities.Count.ShouldBe(1001);
        report.Entities["(others)"].ShouldBe(4000);
    }

    private static async Task Expect(byte[] bytes, ExportProblemKind kind, long offset)
    {
        var problem = (await TestArchive.VerifyAsync(bytes)).Problem.ShouldNotBeNull();
        problem.Kind.ShouldBe(kind, problem.Message);
        problem.Offset.ShouldBe(offset, problem.Message);
    }

    private static byte[] Noise(int length)
    {
        var bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        return bytes;
    }

    // Four bytes with a given CRC-32: the checksum is linear, so each bit of the answer is solved for.
    private static byte[] Forge(uint wanted)
    {
        var register = ~wanted;
        for (var bit = 0; bit < 32; bit++)
            register = (register & 0x80000000) != 0 ? ((register ^ 0xEDB88320) << 1) | 1 : register << 1;
        var bytes = BitConverter.GetBytes(register ^ uint.MaxValue);
        Backup.Engine.Stores.Checksums.Crc32.Hash(bytes).ShouldBe(wanted);
        return bytes;
    }
}
