using System.Collections.Concurrent;
using System.Diagnostics;
using System.Management.Automation;
using System.Runtime.ExceptionServices;
using Backup.Engine;

namespace AtlassianBackup.Pipeline;

/// <summary>
/// A cmdlet that runs asynchronous work. The work runs on the thread pool and may write from any thread; everything it writes
/// is queued and written by the pipeline's own thread, which is the only one PowerShell allows to.
/// </summary>
public abstract class AsyncCmdlet : PSCmdlet, IDisposable
{
    // Full means that the pipeline is slower than the work: the work then waits, so that nothing piles up in memory.
    private const int QueueLength = 256;

    private static readonly TimeSpan _poll = TimeSpan.FromMilliseconds(200);

    // Microsoft.Extensions.Logging.LogLevel, which this assembly must not name: Trace 0, Debug 1, Information 2, Warning 3.
    private const int Debug = 1;
    private const int Warning = 3;

    private readonly CancellationTokenSource _stop = new();
    private BlockingCollection<Action>? _queue;
    private ProgressWriter? _progress;
    private int _pipelineThread;

    /// <summary>Cancelled by Ctrl+C, by PowerShell.Stop(), and as soon as the pipeline wants nothing more.</summary>
    protected CancellationToken StopToken => _stop.Token;

    /// <summary>How long work that was told to stop may go on tidying up before the prompt comes back without it.</summary>
    protected virtual TimeSpan StopDeadline => TimeSpan.FromSeconds(30);

    /// <summary>Whether verbose messages are shown; where not, they are not even formatted.</summary>
    protected bool IsVerbose => MyInvocation.BoundParameters.TryGetValue("Verbose", out var given)
        ? given is SwitchParameter { IsPresent: true } or true
        : SessionState.PSVariable.GetValue("VerbosePreference") is { } preference
            && !string.Equals(preference.ToString(), nameof(ActionPreference.SilentlyContinue), StringComparison.OrdinalIgnoreCase)
            && !string.Equals(preference.ToString(), nameof(ActionPreference.Ignore), StringComparison.OrdinalIgnoreCase);

    /// <summary>Cancels the work at once. PowerShell calls it on another thread than the pipeline's.</summary>
    protected override void StopProcessing() => Cancel();

    /// <summary>
    /// Runs work to its end while writing what it posts. An exception of the work ends the cmdlet with a mapped terminating
    /// error; an exception of the pipeline (stopped, or ErrorAction Stop) cancels the work, waits for it, and is passed on.
    /// </summary>
    /// <param name="work">The work.</param>
    /// <param name="target">What the error record of a failure names as its target.</param>
    protected void RunAsync(Func<CancellationToken, Task> work, object? target = null)
    {
        ArgumentNullException.ThrowIfNull(work);
        _pipelineThread = Environment.CurrentManagedThreadId;
        // Not disposed: abandoned work may still hold it, and it holds nothing but memory.
        var queue = new BlockingCollection<Action>(QueueLength);
        _queue = queue;
        var task = Task.Run(async () =>
        {
            try
            {
                await work(_stop.Token);
            }
            finally
            {
                queue.CompleteAdding();
            }
        });

        var thrown = Drain(queue);
        _queue = null;
        CompleteProgress(thrown is null);

        if (thrown is null && !_stop.IsCancellationRequested)
        {
            Finish(task, target);
            return;
        }

        // Whatever the work still has to say is observed here: nobody is left to hear it.
        _ = task.ContinueWith(static t => _ = t.Exception, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        thrown?.Throw();
        throw new PipelineStoppedException();
    }

    /// <summary>Runs what an engine yields through <paramref name="each"/>, which is called on the pipeline's thread.</summary>
    protected void RunAsync<T>(Func<CancellationToken, IAsyncEnumerable<T>> source, Action<T> each, object? target = null)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(each);
        RunAsync(
            async token =>
            {
                await foreach (var item in source(token).WithCancellation(token))
                    Post(() => each(item));
            },
            target);
    }

    /// <summary>Writes an object, from any thread.</summary>
    protected new void WriteObject(object? sendToPipeline) => Post(() => base.WriteObject(sendToPipeline));

    /// <summary>Writes a non-terminating error, from any thread.</summary>
    protected new void WriteError(ErrorRecord errorRecord) => Post(() => base.WriteError(errorRecord));

    /// <summary>Writes a verbose message, from any thread.</summary>
    protected new void WriteVerbose(string text) => Post(() => base.WriteVerbose(text));

    /// <summary>Writes a warning, from any thread.</summary>
    protected new void WriteWarning(string text) => Post(() => base.WriteWarning(text));

    /// <summary>Asks whether to go on, from any thread: what -WhatIf and -Confirm decide.</summary>
    protected Task<bool> ShouldProcessAsync(string target, string action) => AskAsync(() => ShouldProcess(target, action));

    /// <summary>Asks the user a question, from any thread.</summary>
    protected Task<bool> ShouldContinueAsync(string query, string caption) => AskAsync(() => ShouldContinue(query, caption));

    /// <summary>A progress reporter whose reports become a progress bar, at most five times a second.</summary>
    /// <typeparam name="T">The engine's progress record.</typeparam>
    /// <param name="read">Takes from a report what the bar shows.</param>
    protected IProgress<T> CreateProgress<T>(Func<T, ProgressSnapshot> read)
    {
        ArgumentNullException.ThrowIfNull(read);
        var writer = _progress ??= new(TimeProvider.System);
        return new CallbackProgress<T>(report =>
        {
            // A bar is never worth waiting for: where the queue is full the report is dropped.
            if (writer.IsDue() && _queue is { IsAddingCompleted: false } queue)
                TryAdd(queue, () => base.WriteProgress(writer.Next(read(report))));
        });
    }

    /// <summary>A logger for the engine whose messages become verbose messages and warnings.</summary>
    protected CallbackLogger CreateLogger() => new(IsVerbose ? Debug : Warning, (level, message) =>
    {
        if (level >= Warning)
            WriteWarning(message);
        else
            WriteVerbose(message);
    });

    /// <summary>Ends the cmdlet with the terminating error that an exception amounts to.</summary>
    [System.Diagnostics.CodeAnalysis.DoesNotReturn]
    protected void ThrowMapped(Exception exception, object? target)
    {
        var record = ErrorMapping.ToRecord(exception, target);
        // Who gives -ErrorAction Stop means the whole script and its exit code. PowerShell heeds that for written errors only:
        // after a terminating one a script goes on to its end, and to exit code 0.
        if (MyInvocation.BoundParameters.TryGetValue("ErrorAction", out var action) && action is ActionPreference.Stop)
            base.WriteError(record);
        ThrowTerminatingError(record);
        // The reference assembly does not say that the line above never returns.
        throw new UnreachableException();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Releases what the cmdlet holds.</summary>
    protected virtual void Dispose(bool disposing)
    {
        if (disposing)
            _stop.Dispose();
    }

    private ExceptionDispatchInfo? Drain(BlockingCollection<Action> queue)
    {
        ExceptionDispatchInfo? thrown = null;
        long? stoppedAt = null;
        while (!queue.IsCompleted)
        {
            if (_stop.IsCancellationRequested)
            {
                stoppedAt ??= Stopwatch.GetTimestamp();
                if (Stopwatch.GetElapsedTime(stoppedAt.Value) > StopDeadline)
                    break;
            }

            // After a stop the queue is still emptied, so that work which waits for room in it can see the cancellation.
            if (!queue.TryTake(out var action, _poll) || thrown is not null || _stop.IsCancellationRequested)
                continue;
            try
            {
                action();
            }
            catch (Exception e)
            {
                thrown = ExceptionDispatchInfo.Capture(e);
                Cancel();
            }
        }

        return thrown;
    }

    /// <summary>Reads a value that was given; one that cannot be used ends the cmdlet.</summary>
    protected T ReadOrEnd<T>(Func<T> read, object? target)
    {
        ArgumentNullException.ThrowIfNull(read);
        try
        {
            return read();
        }
        catch (BackupException e)
        {
            ThrowMapped(e, target);
            throw;
        }
    }

    private void Finish(Task task, object? target)
    {
        try
        {
            task.GetAwaiter().GetResult();
        }
        catch (Exception e)
        {
            ThrowMapped(e, target);
        }
    }

    private void CompleteProgress(bool mayWrite)
    {
        if (!mayWrite || _stop.IsCancellationRequested || _progress?.Complete() is not { } record)
            return;
        base.WriteProgress(record);
    }

    private async Task<bool> AskAsync(Func<bool> ask)
    {
        // Asynchronous continuations: the pipeline's thread must not run off into the work.
        var answer = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = _stop.Token.Register(() => answer.TrySetCanceled(_stop.Token));
        Post(() =>
        {
            try
            {
                answer.TrySetResult(ask());
            }
            catch (Exception e)
            {
                answer.TrySetException(e);
                throw;
            }
        });
        return await answer.Task;
    }

    private void Post(Action action)
    {
        if (_queue is not { } queue || Environment.CurrentManagedThreadId == _pipelineThread)
        {
            action();
            return;
        }

        try
        {
            queue.Add(action, _stop.Token);
        }
        catch (InvalidOperationException)
        {
            // The work is over; a late word from one of its threads has no place to go.
        }
    }

    private static void TryAdd(BlockingCollection<Action> queue, Action action)
    {
        try
        {
            queue.TryAdd(action);
        }
        catch (InvalidOperationException)
        {
            // Completed between the check and here.
        }
    }

    private void Cancel()
    {
        try
        {
            // Callbacks run elsewhere: none of them can hold up the one who stops, nor throw at them.
            _ = _stop.CancelAsync().ContinueWith(static t => _ = t.Exception, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
        catch (ObjectDisposedException)
        {
            // Stopped just after it ended.
        }
    }
}
