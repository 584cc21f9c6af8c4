using System.Security.Cryptography;
using System.Text.Json;
using Backup.Engine.Atlassian.Exports;
using Backup.Engine.Tests.Fixtures;
using Backup.TestServers.Atlassian.Exports;

namespace Backup.Engine.Tests.Atlassian.Exports;

public sealed class GeneratedExportTests
{
    private const string PythonTest = """
        import sys, zipfile, json
        z = zipfile.ZipFile(sys.argv[1])
        assert z.testzip() is None
        print(json.dumps({'entries': len(z.namelist()), 'bytes': sum(i.file_size for i in z.infolist())}))
        """;

    [Theory]
    [InlineData(ExportProduct.Confluence, 256 * 1024, ExportKind.ConfluenceSite)]
    [InlineData(ExportProduct.Confluence, 40_000_001, ExportKind.ConfluenceSite)]
    [InlineData(ExportProduct.Jira, 9_999_999, ExportKind.Jira)]
    public async Task The_verifier_finds_what_was_generated(ExportProduct product, int size, ExportKind kind)
    {
        var export = new GeneratedExport(new() { Product = product, Size = size, Seed = size });
        export.Length.ShouldBe(size);
        await using var file = export.Open();
        var report = await ExportVerifier.VerifyAsync(file);
        report.Problem.ShouldBeNull();
        report.Kind.ShouldBe(kind);
        report.Length.ShouldBe(size);
        report.EntryCount.ShouldBe(export.EntryCount);
        report.AttachmentCount.ShouldBe(export.AttachmentCount);
        report.UncompressedBytes.ShouldBe(export.UncompressedBytes);
        report.Entities.ShouldBe(export.Entities, ignoreOrder: true);
        report.DocumentCount.ShouldBe(product == ExportProduct.Jira ? 2 : 1);
        report.Descriptor.ContainsKey("date").ShouldBeTrue();
    }

    [Theory]
    [InlineData(ExportProduct.Confluence)]
    [InlineData(ExportProduct.Jira)]
    public async Task Others_accept_it_too(ExportProduct product)
    {
        using var directory = new TemporaryDirectory();
        var path = directory.Combine("export.zip");
        var export = new GeneratedExport(new() { Product = product, Size = 12_345_678 });
        await using (var file = File.Create(path))
            await export.CopyToAsync(file, 0, export.Length);

        (await PeerProgram.RunAsync("unzip", ["-t", path])).Succeeded().ShouldContain("No errors detected");
        var python = JsonDocument.Parse((await PeerProgram.RunAsync("python3", ["-c", PythonTest, path])).Succeeded()).RootElement;
        python.GetProperty("entries").GetInt32().ShouldBe(export.EntryCount);
        python.GetProperty("bytes").GetInt64().ShouldBe(export.UncompressedBytes);
    }

    [Fact]
    public async Task Any_range_is_the_same_bytes_and_other_seeds_are_others()
    {
        var export = new GeneratedExport(new() { Size = 3_000_000 });
        using var whole = new MemoryStream();
        await export.CopyToAsync(whole, 0, export.Length);
        var bytes = whole.ToArray();
        bytes.Length.ShouldBe(3_000_000);
        (await export.Sha256Async()).ShouldBe(Convert.ToHexStringLower(SHA256.HashData(bytes)));
        (await new GeneratedExport(new() { Size = 3_000_000 }).Sha256Async()).ShouldBe(await export.Sha256Async());
        (await new GeneratedExport(new() { Size = 3_000_000, Seed = 2 }).Sha256Async() == await export.Sha256Async()).ShouldBeFalse();

        var random = new Random(1);
        for (var round = 0; round < 2000; round++)
        {
            var (from, length) = (random.Next(bytes.Length), random.Next(1, round < 1000 ? 100 : 200_000));
            var part = new byte[Math.Min(length, bytes.Length - from)];
            await using var open = export.Open(from);
            await open.ReadExactlyAsync(part);
            part.AsSpan().SequenceEqual(bytes.AsSpan(from, part.Length)).ShouldBeTrue($"{part.Length} bytes at {from}");
        }

        await using var end = export.Open(export.Length);
        end.ReadByte().ShouldBe(-1);
    }

    [Fact]
    public async Task Damage_to_any_attachment_is_found_where_it_is()
    {
        var export = new GeneratedExport(new() { Size = 1_000_000 });
        using var whole = new MemoryStream();
        await export.CopyToAsync(whole, 0, export.Length);
        foreach (var (name, offset, length) in export.Attachments)
        {
            var bad = whole.ToArray();
            bad[offset + (length / 2)] ^= 0x10;
            var problem = (await TestArchive.VerifyAsync(bad)).Problem.ShouldNotBeNull();
            (problem.Entry, problem.Offset, problem.Kind).ShouldBe((name, offset, ExportProblemKind.ChecksumMismatch));
        }
    }

    // What lies beyond 4 GiB is where formats break. Nothing of it is held or stored.
    [Fact]
    public async Task Beyond_four_gigabytes_it_is_zip64_and_the_verifier_follows()
    {
        var export = new GeneratedExport(new() { Size = uint.MaxValue + 200_000_001L, LargestAttachment = 64 << 20 });
        using var directory = new TemporaryDirectory();
        var path = directory.Combine("sparse.zip");

        // Python reads the directory, and the entries behind 4 GiB, from a file with a hole in place of all that is before them.
        var far = export.Attachments.First(attachment => attachment.Offset > uint.MaxValue + 1000L);
        var from = far.Offset - 1000;
        await using (var file = File.Create(path))
        {
            file.Position = from;
            await export.CopyToAsync(file, from, export.Length);
        }

        const string Test = """
            import sys, zipfile
            z = zipfile.ZipFile(sys.argv[1])
            i = z.getinfo(sys.argv[2])
            assert i.header_offset > 0xFFFFFFFF
            with z.open(i) as f:
                while f.read(1 << 20): pass
            print(len(z.namelist()))
            """;
        (await PeerProgram.RunAsync("python3", ["-c", Test, path, far.Name])).Succeeded().Trim().ShouldBe($"{export.EntryCount}");

        await using var stream = export.Open();
        var report = await ExportVerifier.VerifyAsync(stream);
        report.Problem.ShouldBeNull();
        report.EntryCount.ShouldBe(export.EntryCount);
        report.UncompressedBytes.ShouldBe(export.UncompressedBytes);
    }
}
