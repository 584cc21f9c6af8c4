using Microsoft.Extensions.Logging;

namespace Backup.Engine.PrePost;

/// <summary>How often is asked: quickly at first, and ever more slowly.</summary>
/// <param name="First">After the first question.</param>
/// <param name="Most">The longest.</param>
internal sealed record Pace(TimeSpan First, TimeSpan Most)
{
    private const double Growth = 1.6;

    public static Pace Script { get; } = new(TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(5));

    public static Pace Instance { get; } = new(TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(10));

    public static Pace Job { get; } = new(TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(30));

    public TimeSpan Next(TimeSpan pause) => pause * Growth < Most ? pause * Growth : Most;
}

/// <summary>
/// Asks until there is an answer or the deadline has passed. What passes by itself, as an outage or a throttle does, is waited out; keys that have
/// expired are too, for as long as it takes to sign in again.
/// </summary>
internal sealed class Waiting(TimeProvider time, ILogger? logger, TimeSpan renewal)
{
    private int _told;

    /// <summary>Asks until the answer is not null.</summary>
    /// <param name="what">What is waited for, as the end of "… in time": "i-… did not stop".</param>
    /// <param name="ask">The question.</param>
    /// <param name="patience">How long.</param>
    /// <param name="pace">How often.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="BackupException"><see cref="FailureKind.TimedOut"/>, or what the question failed with for good.</exception>
    public async Task<T> UntilAsync<T>(string what, Func<CancellationToken, Task<T?>> ask, TimeSpan patience, Pace pace, CancellationToken cancellationToken)
        where T : class
    {
        using var deadline = new CancellationTokenSource(patience > TimeSpan.Zero ? patience : TimeSpan.FromMilliseconds(1), time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline.Token);
        BackupException? last = null;
        DateTimeOffset? expired = null;
        try
        {
            for (var pause = pace.First; ; pause = pace.Next(pause))
            {
                try
                {
                    if (await ask(either.Token) is { } answer)
                        return answer;
                    (last, expired) = (null, null);
                }
                catch (BackupException exception) when (!either.IsCancellationRequested && (Passes(exception) || IsRenewable(exception, expired ??= time.GetUtcNow())))
                {
                    expired = exception.Kind == FailureKind.CredentialsExpired ? expired : null;
                    logger?.LogDebug("{Reason} Asked again.", exception.Message);
                    last = exception;
                }

                await Task.Delay(pause, time, either.Token);
            }
        }
        catch (Exception exception) when (deadline.IsCancellationRequested && !cancellationToken.IsCancellationRequested && exception is OperationCanceledException or BackupException)
        {
            throw new BackupException(FailureKind.TimedOut, $"{what} in {Describe(patience)}{(last is null ? "" : $" ({last.Message.TrimEnd('.')})")}.", last?.Advice, (Exception?)last ?? exception);
        }
    }

    /// <summary>Does what may be done twice, again and again while only an outage or a throttle keeps it from being done.</summary>
    public async Task<T> InsistAsync<T>(string what, Func<CancellationToken, Task<T>> act, TimeSpan patience, CancellationToken cancellationToken)
        where T : class => await UntilAsync(what, async token => (T?)await act(token), patience, Pace.Instance, cancellationToken);

    /// <summary>Whether keys have expired, and not too long ago to be waited for.</summary>
    public bool IsRenewable(BackupException exception, DateTimeOffset since)
    {
        if (exception.Kind != FailureKind.CredentialsExpired || time.GetUtcNow() - since >= renewal)
            return false;
        if (Interlocked.Exchange(ref _told, 1) == 0)
            logger?.LogWarning("{Reason} New ones are waited for {Time}. {Advice}", exception.Message, Describe(renewal), exception.Advice);
        return true;
    }

    /// <summary>Waits.</summary>
    public Task PauseAsync(TimeSpan pause, CancellationToken cancellationToken) => Task.Delay(pause, time, cancellationToken);

    private static bool Passes(BackupException exception) => exception.Kind is FailureKind.Unavailable or FailureKind.Throttled or FailureKind.TimedOut;

    private static string Describe(TimeSpan time) => time.TotalMinutes >= 2 ? $"{time.TotalMinutes:0} minutes" : $"{time.TotalSeconds:0.#} seconds";
}
