using System.ComponentModel;
using System.Diagnostics;
using System.Text;

namespace Backup.Engine.GitHub.Git;

/// <summary>How git ended.</summary>
/// <param name="Code">Its exit code.</param>
/// <param name="Error">The end of what it said on standard error: bounded, without progress, control characters and the token.</param>
internal sealed record GitExit(int Code, string Error)
{
    /// <summary>The line that says why it failed.</summary>
    public string Reason => (Error.Split('\n').LastOrDefault(line => line.StartsWith("fatal: ", StringComparison.Ordinal))
        ?? Error.Split('\n').LastOrDefault(line => line.StartsWith("error: ", StringComparison.Ordinal))
        ?? Error.Split('\n').LastOrDefault(line => line.Length > 0)
        ?? $"exit code {Code}").TrimEnd('.');
}

/// <summary>
/// A git process. What it is given and what it says flows through pipes that are always emptied; when it is cancelled, stalls or is disposed of
/// before its end, it is ended with all that it has started.
/// </summary>
internal sealed class GitProcess : IAsyncDisposable
{
    private const int MaxError = 16 << 10;
    private const int BufferSize = 64 << 10;
    private static readonly TimeSpan KillPatience = TimeSpan.FromSeconds(10);

    private readonly GitCommand _command;
    private readonly Process _process;
    private readonly CancellationTokenSource _stop;
    private readonly CancellationToken _caller;
    private readonly CancellationTokenRegistration _killing;
    private readonly Task<string> _error;
    private readonly ITimer _deadline;
    private bool _stalled;

    private GitProcess(GitCommand command, Process process, CancellationToken cancellationToken)
    {
        (_command, _process, _caller) = (command, process, cancellationToken);
        _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _killing = _stop.Token.UnsafeRegister(static state => ((GitProcess)state!).Kill(), this);
        _deadline = TimeProvider.System.CreateTimer(static state => ((GitProcess)state!).Stall(), this, command.Deadline < command.Stall ? command.Deadline : command.Stall, Timeout.InfiniteTimeSpan);
        Started = Stopwatch.GetTimestamp();
        _error = ReadErrorAsync();
    }

    /// <summary>How many processes were ever started: benchmarks and tests count them.</summary>
    public static long StartedCount => Interlocked.Read(ref s_started);

    private static long s_started;

    private long Started { get; }

    /// <summary>Its process id.</summary>
    public int Id => _process.Id;

    /// <summary>Starts git.</summary>
    public static GitProcess Start(GitCommand command, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var start = new ProcessStartInfo(command.Git, command.Arguments)
        {
            UseShellExecute = false,
            CreateNoWindow = true,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = command.Directory,
        };
        GitEnvironment.Fill(start.Environment, command);
        Interlocked.Increment(ref s_started);
        try
        {
            return new(command, Process.Start(start)!, cancellationToken);
        }
        catch (Win32Exception exception)
        {
            throw new BackupException(FailureKind.NotSupported, $"'{command.Git}' cannot be started: {exception.Message.TrimEnd('.')}.", "Install git on this machine.", exception);
        }
    }

    /// <summary>Runs git to its end and gives what it said; a failure where it failed.</summary>
    /// <param name="command">What is run.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <param name="write">Writes to its standard input, or null.</param>
    /// <param name="limit">The most characters that are read of it.</param>
    public static async Task<string> ReadAsync(GitCommand command, CancellationToken cancellationToken, Func<GitProcess, Task>? write = null, int limit = 1 << 20)
    {
        var text = new StringBuilder();
        var exit = await RunAsync(command, cancellationToken, write, async output =>
        {
            using var reader = new StreamReader(output);
            var buffer = new char[4096];
            while (text.Length < limit && await reader.ReadAsync(buffer) is > 0 and var read)
                text.Append(buffer, 0, Math.Min(read, limit - text.Length));
        });
        return exit.Code == 0 ? text.ToString() : throw new BackupException(FailureKind.Unknown, $"{command.Title} failed: {exit.Reason}.");
    }

    /// <summary>Runs git to its end, feeding it and reading it side by side: neither pipe is ever left full.</summary>
    public static async Task<GitExit> RunAsync(GitCommand command, CancellationToken cancellationToken, Func<GitProcess, Task>? write = null, Func<Stream, Task>? read = null)
    {
        await using var process = Start(command, cancellationToken);
        var reading = process.ReadOutputAsync(read);
        try
        {
            if (write is not null)
                await write(process);
            process.CloseInput();
        }
        catch (IOException)
        {
            // It has ended before it read all: its exit code says why.
        }

        return await process.WaitAsync(reading);
    }

    /// <summary>Gives it bytes.</summary>
    /// <exception cref="IOException">It has closed its input.</exception>
    public async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes)
    {
        await _process.StandardInput.BaseStream.WriteAsync(bytes, _stop.Token);
        Moved();
    }

    /// <summary>Says that there is no more to come.</summary>
    public void CloseInput()
    {
        try
        {
            _process.StandardInput.BaseStream.Dispose();
        }
        catch (IOException)
        {
            // A broken pipe: it has ended.
        }
    }

    /// <summary>Reads what it says, to the end; null: throws it away.</summary>
    public async Task ReadOutputAsync(Func<Stream, Task>? read = null)
    {
        var output = new WatchedOutput(this);
        if (read is not null)
            await read(output);
        var rest = new byte[4096];
        while (await output.ReadAsync(rest) > 0)
        {
        }
    }

    /// <summary>Something moved: it is alive.</summary>
    public void Moved()
    {
        var left = _command.Deadline - Stopwatch.GetElapsedTime(Started);
        var next = left < _command.Stall ? left : _command.Stall;
        _deadline.Change(next > TimeSpan.Zero ? next : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Waits for its end.</summary>
    /// <param name="reading">What reads its output, so that it can end.</param>
    public async Task<GitExit> WaitAsync(Task reading)
    {
        try
        {
            await reading;
            await _process.WaitForExitAsync(_stop.Token);
            var error = await _error;
            ThrowIfEnded();
            return new(_process.ExitCode, error);
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException or ObjectDisposedException)
        {
            ThrowIfEnded();
            throw;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _deadline.DisposeAsync();
        if (!_process.HasExited)
            Kill();
        try
        {
            // The kernel has it dead at once; only a process that sleeps in the kernel keeps us.
            using var patience = new CancellationTokenSource(KillPatience);
            await _process.WaitForExitAsync(patience.Token);
            await _error.WaitAsync(patience.Token);
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException)
        {
        }

        await _killing.DisposeAsync();
        _stop.Dispose();
        _process.Dispose();
    }

    private void ThrowIfEnded()
    {
        if (_stalled)
        {
            throw new BackupException(
                FailureKind.TimedOut,
                Stopwatch.GetElapsedTime(Started) >= _command.Deadline
                    ? $"{_command.Title} took longer than {_command.Deadline.TotalMinutes:0.#} minutes and was ended."
                    : $"{_command.Title} did nothing for {_command.Stall.TotalSeconds:0.#} seconds and was ended.",
                "Run again.");
        }

        _caller.ThrowIfCancellationRequested();
    }

    private void Stall()
    {
        _stalled = true;
        try
        {
            _stop.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It ended in this moment.
        }
    }

    private void Kill()
    {
        try
        {
            _process.Kill(entireProcessTree: true);
        }
        catch (Exception exception) when (exception is InvalidOperationException or Win32Exception or AggregateException)
        {
            // It has ended.
        }
    }

    // Keeps the end of it: the reason of a failure comes last, and a server may have said anything before.
    private async Task<string> ReadErrorAsync()
    {
        var text = new StringBuilder();
        var buffer = new char[BufferSize / sizeof(char)];
        while (await _process.StandardError.ReadAsync(buffer) is > 0 and var read)
        {
            Moved();
            text.Append(buffer, 0, read);
            if (text.Length > 2 * MaxError)
                text.Remove(0, text.Length - MaxError);
        }

        return Clean(text.ToString());
    }

    private string Clean(string text)
    {
        if (_command.Token is { Length: > 0 } token)
            text = text.Replace(token, "***", StringComparison.Ordinal).Replace(GitRemote.BasicParameter(token), "***", StringComparison.Ordinal);
        // What ends with a carriage return is progress that is written over.
        var lines = text.Split('\n').Select(line => line[(line.TrimEnd('\r').LastIndexOf('\r') + 1)..].TrimEnd());
        return string.Join('\n', lines.Where(line => line.Length > 0).Select(line => new string([.. line.Where(c => !char.IsControl(c))])));
    }

    /// <summary>Tells that it is alive by what it says.</summary>
    private sealed class WatchedOutput(GitProcess process) : ReadOnlyStream
    {
        private long _read;

        public override long Length => throw new NotSupportedException();

        protected override long BytesRead => _read;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            // Not cancelled by a token: the end of the process ends it.
            var read = await process._process.StandardOutput.BaseStream.ReadAsync(buffer, CancellationToken.None);
            process.Moved();
            _read += read;
            return read;
        }
    }
}
