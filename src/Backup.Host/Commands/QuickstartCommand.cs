using System.CommandLine;
using System.Security.Cryptography;
using System.Text;
using Backup.Engine;
using Backup.Engine.Folders;
using Backup.Engine.Runs;
using Backup.Engine.Stores;
using Backup.Host.Output;

namespace Backup.Host.Commands;

/// <summary><c>quickstart</c>: the whole way of a backup and back, on a folder of its own and a directory as the store. Ends with 0 only where every step is proven.</summary>
internal static class QuickstartCommand
{
    public static Command Create()
    {
        var command = new Command("quickstart", "Shows the main job on a small folder: back up, change, back up again, verify, restore, compare.");
        var keep = new Option<bool>("--keep") { Description = "Keep the folder, the store and the restored copy, to look at." };
        command.Add(keep);
        ResultWriter.SetAction(command, async (parsed, writer, token) =>
        {
            var isKept = parsed.GetValue(keep);
            var root = Directory.CreateTempSubdirectory("AtlassianBackup-quickstart-").FullName;
            writer.Say($"Everything happens in {root}{(isKept ? "" : ", which is removed in the end (--keep keeps it)")}.");
            try
            {
                return await new Quickstart(root, writer).RunAsync(token);
            }
            finally
            {
                if (isKept)
                    writer.Say($"Kept: {root}");
                else
                    Directory.Delete(root, recursive: true);
            }
        });
        return command;
    }
}

/// <summary>The steps.</summary>
internal sealed class Quickstart(string root, ResultWriter writer)
{
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        var (source, store, copy) = (Path.Combine(root, "documents"), Path.Combine(root, "store"), Path.Combine(root, "restored"));
        var location = StoreLocation.ForDirectory(store);
        var options = new FolderSyncOptions { Paths = [source], Destination = location, CachePath = Path.Combine(root, "cache"), MaxDeletePercent = 50 };

        Step(1, "Make a folder with five files, one of them 20 MiB.");
        await CreateAsync(source, cancellationToken);

        Step(2, "Back it up into a directory store.");
        var first = await SyncAsync(options, cancellationToken);

        Step(3, "Edit one file, add one, remove one. What would a run do now (WhatIf)?");
        await File.AppendAllTextAsync(Path.Combine(source, "notes.txt"), "One more line.\n", cancellationToken);
        await File.WriteAllTextAsync(Path.Combine(source, "new.txt"), "A new file.\n", cancellationToken);
        File.Delete(Path.Combine(source, "letters", "old.txt"));
        await SyncAsync(options with { WhatIf = true }, cancellationToken);

        Step(4, "Back it up again: only what differs travels.");
        var second = await SyncAsync(options, cancellationToken);

        Step(5, "And once more: nothing to do, and nothing is written.");
        var third = await SyncAsync(options, cancellationToken);

        Step(6, "Verify the newest run, every byte of it.");
        var whole = true;
        await foreach (var verification in RunVerifier.RunAsync(location, new(), deep: true, cancellationToken: cancellationToken))
        {
            Tell(verification, VerifyCommand.Describe(verification));
            whole &= verification.Passed;
        }

        Step(7, "Restore it to another place.");
        await RestoreAsync(new() { From = location, Destination = copy }, cancellationToken);

        Step(8, "Compare names, bytes and times of the folder and the restored copy.");
        var differences = Differences(source, copy);
        foreach (var difference in differences)
            HostConsole.Error("   " + difference);
        if (differences.Count == 0)
            writer.Say("   Identical.");

        var asPromised = first is { Outcome: Outcome.Completed, New: 5 }
            && second is { Outcome: Outcome.Completed, New: 1, Changed: 1, Deleted: 1 }
            && third.Outcome == Outcome.Unchanged
            && whole
            && differences.Count == 0;
        writer.Say();
        writer.Say(asPromised ? "Everything went as promised." : "Something did not go as promised: see above.");
        return asPromised ? ExitCode.Success : ExitCode.Failure;
    }

    private void Step(int number, string text) => writer.Say($"{number}. {text}");

    private void Tell(object result, string text) => writer.Write(result, "   " + text.Replace(root + Path.DirectorySeparatorChar, "", StringComparison.Ordinal));

    private static async Task CreateAsync(string source, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(Path.Combine(source, "letters"));
        Directory.CreateDirectory(Path.Combine(source, "empty"));
        await File.WriteAllTextAsync(Path.Combine(source, "notes.txt"), "The first line.\n", cancellationToken);
        await File.WriteAllTextAsync(Path.Combine(source, "letters", "old.txt"), "To be removed.\n", cancellationToken);
        await File.WriteAllTextAsync(Path.Combine(source, "letters", "größe & 100 %.txt"), "Names are kept as they are.\n", cancellationToken);
        await File.WriteAllBytesAsync(Path.Combine(source, "letters", "nothing.bin"), [], cancellationToken);
        await File.WriteAllBytesAsync(Path.Combine(source, "film.bin"), RandomNumberGenerator.GetBytes(20 << 20), cancellationToken);
        File.SetLastWriteTimeUtc(Path.Combine(source, "film.bin"), new(2019, 5, 17, 8, 30, 0, DateTimeKind.Utc));
    }

    private async Task<FolderSyncResult> SyncAsync(FolderSyncOptions options, CancellationToken cancellationToken)
    {
        FolderSyncResult? last = null;
        await foreach (var output in FolderSync.RunAsync(options, cancellationToken: cancellationToken))
        {
            if (output is FileFailure failure)
                writer.WriteFailure(failure, $"   {failure.Item}: {failure.Message}", failure.Advice);
            if (output is FolderSyncResult result)
                Tell(last = result, SyncCommand.Describe(result));
        }

        return last!;
    }

    private async Task RestoreAsync(FolderRestoreOptions options, CancellationToken cancellationToken)
    {
        await foreach (var output in FolderRestore.RunAsync(options, cancellationToken: cancellationToken))
        {
            if (output is RestoredItem item)
                writer.WriteFailure(item, $"   {item.Path}: {item.Reason}", item.Advice);
            if (output is RestoreSummary summary)
                Tell(summary, RestoreCommand.Describe(summary));
        }
    }

    private static List<string> Differences(string left, string right)
    {
        var (a, b) = (Snapshot(left), Snapshot(right));
        return [.. a.Keys.Union(b.Keys, StringComparer.Ordinal)
            .Where(name => a.GetValueOrDefault(name) != b.GetValueOrDefault(name))
            .Order(StringComparer.Ordinal)
            .Select(name => $"{name}: {a.GetValueOrDefault(name) ?? "missing"} and {b.GetValueOrDefault(name) ?? "missing"}")];
    }

    private static Dictionary<string, string> Snapshot(string root) => new DirectoryInfo(root)
        .EnumerateFileSystemInfos("*", SearchOption.AllDirectories)
        .ToDictionary(
            item => Path.GetRelativePath(root, item.FullName),
            item => item is FileInfo file
                ? $"{file.Length} bytes, {Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(file.FullName)))[..16]}, {file.LastWriteTimeUtc:O}"
                : $"directory, {item.LastWriteTimeUtc:O}",
            StringComparer.Ordinal);
}
