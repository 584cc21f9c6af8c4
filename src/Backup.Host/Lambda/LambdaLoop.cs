using System.Globalization;
using Backup.Engine;
using Microsoft.Extensions.Logging;

namespace Backup.Host.Lambda;

/// <summary>A custom runtime: takes one event after the other, and gives what became of each.</summary>
internal sealed class LambdaLoop(RuntimeApi api, LambdaLog log, TimeProvider time)
{
    // Of the time that is left, this much is kept for what has to be tidied up and said.
    private const double CleanupShare = 0.1;
    private static readonly TimeSpan LongestCleanup = TimeSpan.FromSeconds(20);

    /// <summary>Runs until it is told to stop. What the function needs and lacks is said once, and ends it.</summary>
    public async Task<int> RunAsync(Func<IFunction> create, CancellationToken cancellationToken)
    {
        IFunction function;
        try
        {
            LimitMemory();
            function = create();
        }
        catch (BackupException failure)
        {
            log.Write(failure);
            await api.FailStartAsync(failure);
            return ExitCode.Unusable;
        }

        while (true)
        {
            var invocation = await api.NextAsync(cancellationToken);
            log.RequestId = invocation.RequestId;
            await HandleAsync(function, invocation, cancellationToken);
            log.RequestId = null;
        }
    }

    private async Task HandleAsync(IFunction function, Invocation invocation, CancellationToken cancellationToken)
    {
        var left = invocation.Deadline - time.GetUtcNow();
        using var deadline = new CancellationTokenSource(TimeFor(left), time);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline.Token);
        BackupException failure;
        try
        {
            var answer = await function.HandleAsync(invocation, stop.Token);
            log.Write(LogLevel.Information, "Handled.");
            await api.AnswerAsync(invocation, answer);
            return;
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested)
        {
            failure = new(FailureKind.TimedOut, $"The function's time of {left.TotalSeconds:0} s was over before the work was.", "What is stored stays stored, and the next run goes on from there. Raise the function's Timeout, or run it on an instance.");
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            failure = new(FailureKind.Cancelled, "The function was stopped before the work was done.", "What is stored stays stored, and the next run goes on from there.");
        }
        catch (Exception exception)
        {
            failure = BackupException.From(exception);
        }

        log.Write(failure);
        await api.FailAsync(invocation, failure);
    }

    private static TimeSpan TimeFor(TimeSpan left)
    {
        var cleanup = left * CleanupShare < LongestCleanup ? left * CleanupShare : LongestCleanup;
        // A timer takes 49 days at the most, and a function has a quarter of an hour.
        return TimeSpan.FromTicks(Math.Clamp((left - cleanup).Ticks, 0, TimeSpan.TicksPerDay));
    }

    // The runtime sees the machine's memory, not the function's: told of the limit, it collects before Lambda ends the process.
    private static void LimitMemory()
    {
        if (!long.TryParse(Environment.GetEnvironmentVariable("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"), NumberStyles.None, CultureInfo.InvariantCulture, out var megabytes))
            return;
        AppContext.SetData("GCHeapHardLimit", (ulong)(megabytes << 20) / 10 * 8);
        GC.RefreshMemoryLimit();
    }
}
