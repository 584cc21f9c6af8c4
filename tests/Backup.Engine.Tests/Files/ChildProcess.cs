using System.Diagnostics;
using System.Runtime.CompilerServices;
using Backup.Engine.Files;
using Backup.Engine.Folders;

namespace Backup.Engine.Tests.Files;

/// <summary>A second process that holds or writes a cache: this assembly, started with a verb in its environment.</summary>
internal static class ChildProcess
{
    private const string Verb = "BACKUP_TEST_CHILD";
    private const string CacheFile = "BACKUP_TEST_CACHE";

    public static Process Start(string verb, string cache)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardInput = true, UseShellExecute = false };
        start.ArgumentList.Add("exec");
        start.ArgumentList.Add(typeof(ChildProcess).Assembly.Location);
        start.Environment[Verb] = verb;
        start.Environment[CacheFile] = cache;
        return Process.Start(start)!;
    }

    public static CacheRow Row(int number, long size = 10) => new(new FileEntry { Path = $"file-{number:D7}", Kind = FileEntryKind.File, Size = size, ModifiedTicks = number })
    {
        Sha256 = new byte[32],
        Checksum = "crc64nvme:AAAAAAAAAAA=",
        Version = "v1",
        StorageClass = "DEEP_ARCHIVE",
        StoredAtTicks = 1,
    };

    [ModuleInitializer]
    internal static void RunAsChild()
    {
        if (Environment.GetEnvironmentVariable(Verb) is not { } verb)
            return;
        using var cache = FolderCache.Open(Environment.GetEnvironmentVariable(CacheFile)!, "s3://bucket/prefix", "/data");
        if (verb is "hold")
        {
            Console.WriteLine("held");
            Console.In.ReadLine();
        }

        for (var i = 0; verb is "write"; i++)
        {
            cache.Put(Row(i));
            if (i % 50 != 49)
                continue;
            cache.Flush();
            Console.WriteLine(i);
        }

        Environment.Exit(0);
    }
}
