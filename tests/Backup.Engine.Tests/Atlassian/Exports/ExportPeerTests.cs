using System.IO.Compression;
using System.Text;
using Backup.Engine.Atlassian.Exports;
using Backup.Engine.Tests.Fixtures;

namespace Backup.Engine.Tests.Atlassian.Exports;

/// <summary>Archives that other programs wrote, Java's among them, which Atlassian's products write with.</summary>
public sealed class ExportPeerTests
{
    private const string PythonWriter = """
        import sys, zipfile, io, random
        path, mode = sys.argv[1:3]

        class Pipe(io.RawIOBase):
            # Cannot seek, so sizes go behind the data.
            def __init__(self, f): self.f = f
            def writable(self): return True
            def write(self, b): return self.f.write(b)
            def flush(self): self.f.flush()

        random.seed(1)
        noise = random.randbytes(300_000)
        with open(path, 'wb') as f:
            with zipfile.ZipFile(Pipe(f) if 'stream' in mode else f, 'w') as z:
                for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    for name, data in (('empty', b''), ('text', b'some text ' * 9000), ('noise', noise), ('tiny', b'1'), ('\u00fcml\u00e4ut', b'2')):
                        info = zipfile.ZipInfo(f'attachments/{method}/{name}', (2026, 11, 20, 2, 0, 0))
                        info.compress_type = method
                        with z.open(info, 'w', force_zip64='zip64' in mode) as e: e.write(data)
                if 'many' in mode:
                    for i in range(66_000): z.writestr(f'attachments/many/{i}', b'')
                if 'comment' in mode: z.comment = b'a comment'
        """;

    private const string JavaWriter = """
        import java.io.*; import java.util.zip.*;
        public class W {
            public static void main(String[] a) throws Exception {
                byte[] noise = new byte[300_000]; new java.util.Random(1).nextBytes(noise);
                try (var z = new ZipOutputStream(new BufferedOutputStream(new FileOutputStream(a[0])))) {
                    for (int level : new int[] { 0, 1, 6, 9 }) {
                        z.setLevel(level);
                        for (byte[] data : new byte[][] { new byte[0], "text ".repeat(20_000).getBytes(), noise, { 1 } }) {
                            z.putNextEntry(new ZipEntry("attachments/" + level + "/" + data.length)); z.write(data); z.closeEntry();
                        }
                    }
                    z.putNextEntry(new ZipEntry("attachments/")); z.closeEntry();
                    var e = new ZipEntry("attachments/stored"); e.setMethod(ZipEntry.STORED); e.setSize(noise.length);
                    var c = new CRC32(); c.update(noise); e.setCrc(c.getValue()); z.putNextEntry(e); z.write(noise); z.closeEntry();
                    for (int i = 0; i < Integer.parseInt(a[1]); i++) { z.putNextEntry(new ZipEntry("attachments/many/" + i)); z.closeEntry(); }
                }
            }
        }
        """;

    [Theory]
    [InlineData("plain", 10)]
    [InlineData("stream", 10)]
    [InlineData("zip64", 10)]
    [InlineData("stream zip64", 10)]
    [InlineData("comment", 10)]
    [InlineData("many", 66_010)]
    public async Task Python(string mode, int entries)
    {
        using var directory = new TemporaryDirectory();
        var path = directory.Combine("python.zip");
        (await PeerProgram.RunAsync("python3", ["-c", PythonWriter, path, mode])).Succeeded();
        await ExpectWhole(path, entries);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(66_000)]
    public async Task Java_ZipOutputStream(int many)
    {
        using var directory = new TemporaryDirectory();
        var (source, path) = (directory.Combine("W.java"), directory.Combine("java.zip"));
        await File.WriteAllTextAsync(source, JavaWriter);
        (await PeerProgram.RunAsync("java", [source, path, $"{many}"])).Succeeded();
        await ExpectWhole(path, 18 + many);
    }

    [Theory]
    [InlineData("")]
    [InlineData("-0")]
    [InlineData("-fz")]
    [InlineData("-fd")]
    public async Task Info_ZIP(string option)
    {
        using var directory = new TemporaryDirectory();
        Files(directory);
        string[] options = option.Length == 0 ? [] : [option];
        (await PeerProgram.RunAsync("zip", [.. options, "-r", "-q", "out.zip", "attachments"], workingDirectory: directory.Path)).Succeeded();
        await ExpectWhole(directory.Combine("out.zip"), 5);

        // To a pipe, where it cannot go back to complete a header.
        (await PeerProgram.RunAsync("sh", ["-c", $"zip {option} -r -q - attachments | cat > piped.zip"], workingDirectory: directory.Path)).Succeeded();
        if (option != "-fz")
        {
            await ExpectWhole(directory.Combine("piped.zip"), 5);
            return;
        }

        // Its end record points to a zip64 record that it leaves out. Its own unzip does not take that either.
        (await Verify(directory.Combine("piped.zip"))).Problem.ShouldNotBeNull().Kind.ShouldBe(ExportProblemKind.RecordMismatch);
        (await PeerProgram.RunAsync("unzip", ["-t", directory.Combine("piped.zip")])).ExitCode.ShouldNotBe(0);
    }

    [Fact]
    public async Task Info_ZIP_encrypted()
    {
        using var directory = new TemporaryDirectory();
        Files(directory);
        (await PeerProgram.RunAsync("zip", ["-r", "-q", "-P", "word", "out.zip", "attachments"], workingDirectory: directory.Path)).Succeeded();
        (await Verify(directory.Combine("out.zip"))).Problem.ShouldNotBeNull().Kind.ShouldBe(ExportProblemKind.Encrypted);
    }

    [Theory]
    [InlineData("out.zip")]
    [InlineData("out.7z.zip")]
    public async Task Seven_zip_and_jar(string file)
    {
        using var directory = new TemporaryDirectory();
        Files(directory);
        if (file == "out.zip")
            (await PeerProgram.RunAsync("jar", ["cfM", file, "attachments"], workingDirectory: directory.Path)).Succeeded();
        else
            (await PeerProgram.RunAsync("7z", ["a", "-tzip", file, "attachments"], workingDirectory: directory.Path)).Succeeded();
        await ExpectWhole(directory.Combine(file), 5);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Dotnet(bool canSeek)
    {
        using var memory = new MemoryStream();
        var target = canSeek ? memory : (Stream)new BufferedPipe(memory);
        await using (var archive = new ZipArchive(target, ZipArchiveMode.Create, leaveOpen: true))
        {
            archive.CreateEntry("attachments/");
            archive.CreateEntry("attachments/never opened");
            foreach (var level in Enum.GetValues<CompressionLevel>())
            {
                foreach (var length in new[] { 0, 1, 100_000 })
                {
                    await using var entry = await archive.CreateEntry($"attachments/{level}/{length}", level).OpenAsync();
                    await entry.WriteAsync(Encoding.ASCII.GetBytes(new string('x', length)));
                }
            }
        }

        var report = await TestArchive.VerifyAsync(memory.ToArray());
        report.Problem.ShouldBeNull();
        report.EntryCount.ShouldBe(14);
    }

    private static void Files(TemporaryDirectory directory)
    {
        Directory.CreateDirectory(directory.Combine("attachments", "1"));
        File.WriteAllText(directory.Combine("attachments", "1", "text"), string.Concat(Enumerable.Repeat("some text ", 20_000)));
        File.WriteAllText(directory.Combine("attachments", "1", "empty"), "");
        var noise = new byte[300_000];
        new Random(1).NextBytes(noise);
        File.WriteAllBytes(directory.Combine("attachments", "1", "noise"), noise);
    }

    private static async Task ExpectWhole(string path, int entries)
    {
        var report = await Verify(path);
        report.Problem.ShouldBeNull();
        report.EntryCount.ShouldBe(entries);

        // And the same archive with one byte changed in the middle is not.
        var bytes = await File.ReadAllBytesAsync(path);
        bytes[150_000] ^= 0x40;
        (await TestArchive.VerifyAsync(bytes)).IsWhole.ShouldBeFalse();
    }

    private static async Task<ExportReport> Verify(string path)
    {
        await using var file = File.OpenRead(path);
        return await ExportVerifier.VerifyAsync(file);
    }

    private sealed class BufferedPipe(MemoryStream memory) : Stream
    {
        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override void Write(byte[] buffer, int offset, int count) => memory.Write(buffer, offset, count);

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
