using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace Backup.Engine;

/// <summary>Turns work that reports as it goes into a stream of results.</summary>
internal static class Emission
{
    /// <summary>Runs <paramref name="work"/> and yields what it emits, from any thread, as it comes. Whoever stops reading cancels the work and waits for its end.</summary>
    public static async IAsyncEnumerable<T> RunAsync<T>(Func<Action<T>, CancellationToken, Task> work, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var channel = Channel.CreateUnbounded<T>(new() { SingleReader = true });
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var running = Task.Run(
            async () =>
            {
                try
                {
                    await work(item => channel.Writer.TryWrite(item), stop.Token);
                    channel.Writer.Complete();
                }
                catch (Exception exception)
                {
                    channel.Writer.Complete(exception);
                }
            },
            CancellationToken.None);
        try
        {
            // The work hears of a cancellation itself, and what it still has to say is passed on.
            await foreach (var item in channel.Reader.ReadAllAsync(CancellationToken.None))
                yield return item;
        }
        finally
        {
            await stop.CancelAsync();
            await running;
        }
    }
}
