using Backup.Engine.Aws;
using Backup.Engine.Aws.Sts;

namespace Backup.Engine.Plans;

/// <summary>Takes down what is found of a job, or of the plan.</summary>
/// <param name="job">The job, or null for the plan.</param>
internal sealed class JobChecks(string? job)
{
    private readonly Lock _lock = new();
    private readonly List<PlanCheck> _found = [];

    public IReadOnlyList<PlanCheck> Found
    {
        get
        {
            lock (_lock)
                return [.. _found];
        }
    }

    /// <summary>Whether something of that name has failed.</summary>
    public bool HasFailed(string check) => Found.Any(found => found.Check == check && found.Status == PlanCheckStatus.Failed);

    public void Passed(string check, string detail) => Add(new() { Job = job, Check = check, Status = PlanCheckStatus.Passed, Detail = detail });

    public void Warning(string check, string detail, string howToMend) => Add(new() { Job = job, Check = check, Status = PlanCheckStatus.Warning, Detail = detail, HowToMend = howToMend });

    public void NotChecked(string check, string detail, string? howToMend = null) => Add(new() { Job = job, Check = check, Status = PlanCheckStatus.NotChecked, Detail = detail, HowToMend = howToMend });

    public void Failed(string check, Exception exception)
    {
        var failure = BackupException.From(exception is AggregateException { InnerExceptions: [var only] } ? only : exception);
        Add(new() { Job = job, Check = check, Status = PlanCheckStatus.Failed, Detail = failure.Message, HowToMend = failure.Advice, Kind = failure.Kind });
    }

    /// <summary>Looks at something; whether it is as it should be. What is found is the detail, what is thrown the failure.</summary>
    public async Task<bool> TryAsync(string check, Func<Task<string>> look, CancellationToken cancellationToken)
    {
        try
        {
            Passed(check, await look());
            return true;
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            Failed(check, exception is OperationCanceledException ? new TimeoutException("There was no answer in time.", exception) : exception);
            return false;
        }
    }

    private void Add(PlanCheck check)
    {
        lock (_lock)
            _found.Add(check);
    }
}

/// <summary>Asks AWS whose credentials are: once for each kind of credentials that a plan has.</summary>
/// <param name="logger">Told of attempts.</param>
internal sealed class CredentialChecks(CallbackLogger? logger)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly System.Collections.Concurrent.ConcurrentDictionary<AwsOptions, Lazy<Task<GetCallerIdentityResponse>>> _known = new();

    /// <summary>Looks.</summary>
    public async Task CheckAsync(JobChecks checks, AwsOptions options, CancellationToken cancellationToken)
    {
        try
        {
            var identity = await _known.GetOrAdd(options, aws => new(() => AskAsync(aws, cancellationToken))).Value;
            checks.Passed("Credentials", $"They are those of {identity.Arn} in account {identity.Account}.");
        }
        catch (BackupException exception) when (exception.Kind is FailureKind.Unavailable or FailureKind.TimedOut)
        {
            // A network without a way to STS may well have one to what the job needs.
            checks.NotChecked("Credentials", $"AWS could not be asked whose they are: {exception.Message}");
        }
        catch (BackupException exception)
        {
            checks.Failed("Credentials", exception);
        }
    }

    private async Task<GetCallerIdentityResponse> AskAsync(AwsOptions options, CancellationToken cancellationToken)
    {
        using var sts = new StsClient(new() { Aws = options, Logger = logger, MaxAttempts = 2, Timeout = Patience });
        return await sts.GetCallerIdentityAsync(cancellationToken);
    }
}
