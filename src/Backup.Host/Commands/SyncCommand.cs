using System.CommandLine;
using Backup.Engine;
using Backup.Engine.Folders;
using Backup.Engine.Stores;
using Backup.Host.Output;

namespace Backup.Host.Commands;

/// <summary><c>sync</c>: folders into a store.</summary>
internal static class SyncCommand
{
    public static Command Create()
    {
        var command = new Command("sync", "Brings a store up to date with a folder: changed files are sent, files that are gone are deleted.");
        var folder = new Argument<string[]>("folder") { Description = "The folders, each an independent backup.", Arity = ArgumentArity.OneOrMore };
        var store = new StoreArguments();
        var destination = new Option<string>("--to") { Description = "s3://bucket/prefix, or a directory.", Required = true };
        var storageClass = new Option<string?>("--storage-class") { Description = "The S3 storage class (default: DEEP_ARCHIVE)." };
        var cache = new Option<string?>("--cache") { Description = "The directory of the caches." };
        var include = new Option<string[]>("--include") { Description = "Glob patterns of what to take." };
        var exclude = new Option<string[]>("--exclude") { Description = "Glob patterns of what to leave out." };
        var maxDelete = new Option<double>("--max-delete-percent") { Description = "Refuse to delete more than this share of the stored files.", DefaultValueFactory = _ => 10 };
        var force = new Option<bool>("--force") { Description = "Delete even where a guard would refuse." };
        var reset = new Option<bool>("--reset") { Description = "Forget the cache and check the store instead." };
        var whatIf = new Option<bool>("--what-if") { Description = "Say what would be done and write nothing." };
        command.Add(folder);
        command.Add(destination);
        foreach (var option in store.Connection)
            command.Add(option);
        foreach (var option in new Option[] { storageClass, cache, include, exclude, maxDelete, force, reset, whatIf })
            command.Add(option);

        ResultWriter.SetAction(command, (parsed, writer, token) => RunAsync(
            new()
            {
                Paths = parsed.GetRequiredValue(folder),
                Destination = StoreLocation.Parse(parsed.GetRequiredValue(destination)),
                Store = store.OptionsOf(parsed),
                StorageClass = parsed.GetValue(storageClass),
                CachePath = parsed.GetValue(cache),
                Include = StoreArguments.Given(parsed, include),
                Exclude = StoreArguments.Given(parsed, exclude),
                MaxDeletePercent = parsed.GetValue(maxDelete),
                Force = parsed.GetValue(force),
                Reset = parsed.GetValue(reset),
                WhatIf = parsed.GetValue(whatIf),
                Logger = HostConsole.Logger(parsed.GetValue(ResultWriter.Verbose)),
            },
            writer,
            token));
        return command;
    }

    private static async Task<int> RunAsync(FolderSyncOptions options, ResultWriter writer, CancellationToken cancellationToken)
    {
        var exit = ExitCode.Success;
        await foreach (var output in FolderSync.RunAsync(options, HostConsole.Progress(), cancellationToken))
        {
            if (output is FileFailure failure)
                writer.WriteFailure(failure, $"{failure.Item}: {failure.Message}", failure.Advice);
            if (output is not FolderSyncResult result)
                continue;
            writer.Write(result, Describe(result));
            if (result.Kind is not null)
                HostConsole.Error($"{result.Path}: {result.Reason}", result.Advice);
            exit = ExitCode.Worse(exit, ExitCode.Of(result.Outcome));
        }

        return exit;
    }

    /// <summary>A result in one line.</summary>
    public static string Describe(FolderSyncResult result)
    {
        var counts = $"{result.New} new, {result.Changed} changed, {result.Deleted} deleted, {result.Unchanged + result.Touched + result.Adopted} unchanged, {HostConsole.Size(result.Bytes)} {(result.WhatIf ? "to send" : "sent")}";
        var failed = result.Failed > 0 ? $", {result.Failed} failed" : "";
        return $"{result.Path}: {(result.WhatIf ? "WhatIf" : result.Outcome)}. {counts}{failed} in {result.Duration.TotalSeconds:0.0} s{(result.RunId is null ? "" : $" (run {result.RunId})")}.";
    }
}
