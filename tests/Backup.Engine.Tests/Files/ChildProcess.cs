using System.Diagnostics;
using System.Runtime.CompilerServices;
using Backup.Engine.Files;
using Backup.Engine.Folders;
using Backup.Engine.Stores;

namespace Backup.Engine.Tests.Files;

/// <summary>A second process that holds or writes a cache: this assembly, started with a verb in its environment.</summary>
internal static class ChildProcess
{
    private const string Verb = "BACKUP_TEST_CHILD";
    private const string CacheFile = "BACKUP_TEST_CACHE";

    public static Process Start(string verb, string cache) => Start(verb, cache, [], null);

    /// <summary>A run of a folder, by another account where one is given.</summary>
    public static Process StartSync(string source, string destination, string cache, Uri? endpoint = null, int? user = null)
    {
        var variables = new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["BACKUP_TEST_SOURCE"] = source,
            ["BACKUP_TEST_DESTINATION"] = destination,
            ["AWS_ENDPOINT_URL"] = endpoint?.ToString(),
            ["AWS_ACCESS_KEY_ID"] = "test",
            ["AWS_SECRET_ACCESS_KEY"] = "testsecret",
            ["AWS_REGION"] = "us-east-1",
        };
        return Start("sync", cache, variables, user);
    }

    private static Process Start(string verb, string cache, Dictionary<string, string?> variables, int? user)
    {
        var start = new ProcessStartInfo(user is null ? "dotnet" : "setpriv") { RedirectStandardOutput = true, RedirectStandardInput = true, UseShellExecute = false };
        if (user is not null)
        {
            start.ArgumentList.Add($"--reuid={user}");
            start.ArgumentList.Add("--clear-groups");
            start.ArgumentList.Add("dotnet");
        }

        foreach (var (name, value) in variables)
            start.Environment[name] = value;
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

    // Without await: what goes on in another thread of this module would wait for its initializer, which this is.
    private static int Sync()
    {
        static string Variable(string name) => Environment.GetEnvironmentVariable(name)!;
        var options = new FolderSyncOptions
        {
            Paths = [Variable("BACKUP_TEST_SOURCE")],
            Destination = StoreLocation.Parse(Variable("BACKUP_TEST_DESTINATION")),
            CachePath = Variable(CacheFile),
            StorageClass = "STANDARD",
        };
        var failed = false;
        foreach (var output in FolderSync.RunAsync(options).ToBlockingEnumerable())
        {
            if (output is FileFailure failure)
                Console.WriteLine($"{failure.Kind} {failure.Item} {failure.Message}");
            if (output is FolderSyncResult result)
            {
                Console.WriteLine(result);
                failed |= result.Outcome == Outcome.Failed;
            }
        }

        return failed ? 1 : 0;
    }

    [ModuleInitializer]
    internal static void RunAsChild()
    {
        if (Environment.GetEnvironmentVariable(Verb) is not { } verb)
            return;
        if (verb is "sync")
            Environment.Exit(Sync());
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
