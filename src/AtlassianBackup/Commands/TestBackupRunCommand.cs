using System.Management.Automation;
using Backup.Engine;
using Backup.Engine.Runs;

namespace AtlassianBackup.Commands;

/// <summary>Test-BackupRun: proves that what a run stored is in the store, and whole.</summary>
[Cmdlet(VerbsDiagnostic.Test, "BackupRun", SupportsShouldProcess = true)]
[OutputType(typeof(bool))]
[OutputType("Backup.Engine.Runs.RunVerification")]
public sealed class TestBackupRunCommand : AwsCmdlet
{
    // Enough to see what kind of damage it is; -Detailed has them all.
    private const int NamedProblems = 5;

    /// <summary>The store.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    public string Destination { get; set; } = "";

    /// <summary>The runs.</summary>
    [Parameter(Position = 1, ValueFromPipelineByPropertyName = true)]
    [AllowNull]
    [AllowEmptyCollection]
    [AllowEmptyString]
    public string[]? RunId { get; set; }

    /// <summary>The source's name.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [SupportsWildcards]
    [Alias("Path")]
    [ValidateNotNullOrEmpty]
    public string? SourceName { get; set; }

    /// <summary>Read every byte.</summary>
    [Parameter]
    public SwitchParameter Deep { get; set; }

    /// <summary>Give the report instead of a bool.</summary>
    [Parameter]
    public SwitchParameter Detailed { get; set; }

    /// <summary>Keep what was found in the destination's catalog.</summary>
    [Parameter]
    public SwitchParameter Record { get; set; }

    /// <summary>Verifies.</summary>
    protected override void ProcessRecord()
    {
        var store = ResolveStore(Destination);
        var query = new RunQuery { SourceName = SourceName, RunIds = RunIds.Given(RunId) };
        var options = CreateStoreOptions();
        var record = Record && ShouldProcess(store.ToString(), "Record verification");
        BackupException? missing = null;
        RunAsync(
            async token =>
            {
                try
                {
                    await foreach (var verification in RunVerifier.RunAsync(store, query, Deep, options, CreateProgress(), record, token))
                        Write(verification);
                }
                catch (BackupException e) when (e.Kind is FailureKind.NotFound)
                {
                    missing = e;
                }
            },
            Destination);
        if (missing is null)
            return;

        // Nothing that could be whole is not the same as everything being whole.
        if (!Detailed)
            WriteObject(false);
        WriteError(ErrorMapping.ToRecord(missing, RunId is [{ } id, ..] ? id : Destination));
    }

    private void Write(RunVerification verification)
    {
        WriteObject(Detailed ? verification : verification.Passed);
        if (verification.RunFailure is { } reason)
            WriteWarning($"Run {verification.RunId} of {verification.SourceName} had failed itself, so what it names is not all there should be: {reason}");
        if (verification.Passed)
            return;
        if (verification.Problems == 0)
        {
            WriteError(ErrorMapping.ToRecord(
                FailureKind.Archived,
                $"Run {verification.RunId} of {verification.SourceName} could not be read: {verification.Archived} of {verification.Checked} objects are archived. Nothing is wrong with what can be seen of them.",
                "Check without -Deep, which compares the store's own checksums. To read every byte, ask for readable copies first: Restore-FolderFromS3 to another directory verifies each file that it writes.",
                verification.RunId));
            return;
        }

        var named = string.Join(" ", verification.Details.Take(NamedProblems).Select(p => $"{p.Path}: {p.Message}"));
        var more = verification.Problems > NamedProblems ? $" And {verification.Problems - NamedProblems} more." : "";
        var kind = verification.Details.Count > 0 ? verification.Details[0].Kind : FailureKind.Corrupt;
        WriteError(ErrorMapping.ToRecord(
            kind,
            $"Run {verification.RunId} of {verification.SourceName} is not whole: {verification.Problems} of {verification.Checked} objects have a problem. {named}{more}",
            "If it is the newest run, back the source up again: a folder with Sync-FolderToS3 -Reset, packages with Backup-MavenPackage -Package. Both find and send what is missing or damaged. For an older run take another one. -Detailed lists every problem.",
            verification.RunId));
    }
}
