using System.Management.Automation;
using Backup.Engine;
using Backup.Engine.PrePost;

namespace AtlassianBackup.Commands;

/// <summary>What the cmdlets that drive runs of EC2 backups have in common: who is told of errors, and that Ctrl+C waits until the machines are given back.</summary>
public abstract class PrePostCmdlet : AwsCmdlet
{
    /// <summary>A Teams webhook that is told of errors.</summary>
    [Parameter]
    [ValidateNotNull]
    [SecretValueTransformation(AllowAddress = true)]
    public SecretValue? WebhookUri { get; set; }

    private readonly List<PrePostBackupResult> _failed = [];

    /// <summary>Longer than every step of the way back may take.</summary>
    internal static readonly TimeSpan GivingBackDeadline = TimeSpan.FromHours(4);

    /// <inheritdoc/>
    protected override TimeSpan StopDeadline => GivingBackDeadline;

    /// <summary>Stops what is under way. The instances are given back before the prompt is.</summary>
    protected override void StopProcessing()
    {
        base.StopProcessing();
        TellOfGivingBack(Host);
    }

    /// <summary>Says why the prompt does not come back at once.</summary>
    internal static void TellOfGivingBack(System.Management.Automation.Host.PSHost? host)
    {
        try
        {
            host?.UI?.WriteWarningLine("Stopping: the instances are given back first, which may take minutes. If this process is ended now, run Resume-PrePostBackup.");
        }
        catch (Exception e) when (e is NotImplementedException or InvalidOperationException or PSInvalidOperationException)
        {
            // A host without a screen.
        }
    }

    /// <summary>
    /// Runs an engine whose results are instances. A failed one is an error beside its result, written when all are done: with ErrorAction Stop the
    /// first error would end the others.
    /// </summary>
    private protected void RunInstances(Func<CancellationToken, IAsyncEnumerable<PrePostBackupResult>> source, object target)
    {
        _failed.Clear();
        RunAsync(source, Write, target);
        foreach (var result in _failed)
            WriteError(ErrorMapping.ToRecord(result.Kind ?? FailureKind.Unknown, result.Reason ?? $"{result.InstanceId} was not backed up.", result.Advice, result.InstanceId));
    }

    private void Write(PrePostBackupResult result)
    {
        WriteObject(result);
        foreach (var warning in result.Warnings)
            WriteWarning($"{result.InstanceId}: {warning}");
        if (result.Outcome is Outcome.Failed)
            _failed.Add(result);
    }
}
