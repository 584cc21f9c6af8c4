using System.Globalization;

namespace Benchmarks;

/// <summary>A folder with files of one size: noise that is the same every time, 100 files a folder.</summary>
internal sealed record DataSet(string Name, int Files, long Size)
{
    private const int FilesAFolder = 100;

    /// <summary>Makes it, unless it is there already.</summary>
    public string Make(string root)
    {
        var folder = Path.Combine(root, Name);
        var done = folder + ".made";
        var what = string.Create(CultureInfo.InvariantCulture, $"{Files} files of {Size} bytes");
        if (File.Exists(done) && File.ReadAllText(done) == what)
            return folder;
        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
        Console.Error.WriteLine($"Making {what} in {folder} ...");
        // Seeded, so that runs on different days compare.
        var noise = new Random(4711);
        var block = new byte[(int)Math.Min(Size, 1 << 20)];
        for (var i = 0; i < Files; i++)
        {
            var parent = Path.Combine(folder, (i / FilesAFolder).ToString("d5", CultureInfo.InvariantCulture));
            if (i % FilesAFolder == 0)
                Directory.CreateDirectory(parent);
            using var file = File.OpenHandle(Path.Combine(parent, $"file-{i:d7}.bin"), FileMode.Create, FileAccess.Write, preallocationSize: Size);
            for (var at = 0L; at < Size; at += block.Length)
            {
                noise.NextBytes(block);
                RandomAccess.Write(file, block.AsSpan(0, (int)Math.Min(block.Length, Size - at)), at);
            }
        }

        File.WriteAllText(done, what);
        return folder;
    }
}
