using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Backup.Engine.PrePost;
using Backup.Engine.Stores;

namespace Backup.Engine.Tests.PrePost;

/// <summary>A run in a process of its own, which can be killed and measured: this assembly, started with its orders in the environment.</summary>
internal static class PrePostChild
{
    private const string Variable = "BACKUP_TEST_PREPOST";

    /// <summary>What the child is told.</summary>
    public sealed record Order(Uri Fleet, Uri? S3, string Destination, string TagValue, bool WithScripts = true, bool WithEverything = false);

    public static Process Start(Order order)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, UseShellExecute = false };
        start.ArgumentList.Add("exec");
        start.ArgumentList.Add(typeof(PrePostChild).Assembly.Location);
        start.Environment[Variable] = JsonSerializer.Serialize(order);
        // As the module's own host has it.
        start.Environment["DOTNET_gcServer"] = "0";
        return Process.Start(start)!;
    }

    public static PrePostOptions Options(Order order) => new()
    {
        TagKey = "backup-job",
        TagValue = order.TagValue,
        BackupVaultName = "vault",
        IamRoleArn = PrePostPlace.Role,
        PreScript = order.WithScripts ? PrePostPlace.Say("pre") : null,
        PostScript = order.WithScripts ? PrePostPlace.Say("post") : null,
        OnFailureScript = order.WithEverything ? PrePostPlace.Say("failed") : null,
        FinallyScript = order.WithEverything ? PrePostPlace.Say("last") : null,
        ResumeWhen = order.WithEverything ? ResumePoint.RecoveryPointCreated : ResumePoint.Completed,
        StopInstance = true,
        Destination = StoreLocation.Parse(order.Destination),
        Store = Store(order),
        Aws = PrePostPlace.StoreOptions.Aws,
        AwsEndpoint = order.Fleet,
    };

    public static StoreOptions Store(Order order) => new() { Aws = new() { Region = "us-east-1", Keys = new("test", "testsecret"), EndpointUrl = order.S3 } };

    // Without await: what goes on in another thread of this module would wait for its initializer, which this is.
    [ModuleInitializer]
    internal static void RunAsChild()
    {
        if (Environment.GetEnvironmentVariable(Variable) is not { } text)
            return;
        var order = JsonSerializer.Deserialize<Order>(text)!;
        var failed = 0;
        foreach (var result in PrePostBackup.RunAsync(Options(order)).ToBlockingEnumerable())
        {
            failed += result.Outcome == Outcome.Completed ? 0 : 1;
            Console.WriteLine($"{result.InstanceId} {result.Outcome} {result.Reason}");
        }

        if (OperatingSystem.IsLinux())
            Console.WriteLine(File.ReadLines("/proc/self/status").First(line => line.StartsWith("VmHWM:", StringComparison.Ordinal)));
        Environment.Exit(failed == 0 ? 0 : 1);
    }
}
