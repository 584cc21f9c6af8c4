using System.Diagnostics;
using System.IO.Compression;
using System.Text.Json;
using Backup.Engine.Tests.Fixtures;

namespace Backup.Engine.Tests.Aws;

/// <summary>AWS's own models of its services, which botocore carries.</summary>
internal static class ServiceModel
{
    private static readonly Lazy<Task<string>> _data = new(FindAsync);

    /// <summary>Reads the newest model of a service, by botocore's name of it. Skips the test where there is none.</summary>
    public static async Task<JsonDocument> ReadAsync(string service)
    {
        var directory = Path.Combine(await _data.Value, service);
        var file = Directory.GetFiles(Directory.GetDirectories(directory).Order(StringComparer.Ordinal).Last(), "service-2.json*").Single();
        await using var stream = File.OpenRead(file);
        await using Stream json = file.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(stream, CompressionMode.Decompress) : stream;
        return await JsonDocument.ParseAsync(json, cancellationToken: TestContext.Current.CancellationToken) ?? throw new UnreachableException();
    }

    private static async Task<string> FindAsync()
    {
        var python = PeerProgram.Find("python3") is null ? "python" : "python3";
        Assert.SkipWhen(PeerProgram.Find(python) is null, "Python is not installed.");
        var found = await PeerProgram.RunAsync(python, ["-c", "import os, botocore; print(os.path.dirname(botocore.__file__))"]);
        Assert.SkipWhen(found.ExitCode != 0, "botocore is not installed: it comes with moto.");
        return Path.Combine(found.Output.Trim(), "data");
    }
}
