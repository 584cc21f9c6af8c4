using System.Net;
using Backup.Engine.Stores.Transfer;

namespace Backup.Engine.Stores.S3;

/// <summary>Sends a <see cref="PartBuffer"/> block by block.</summary>
internal sealed class PartContent(PartBuffer part, StallWatch watch, BandwidthLimit? bandwidth, Action<int> count) : HttpContent
{
    // Many requests share a slow line: so little must pass within the stall timeout that moving slowly is never taken for standing still.
    private const int Slice = 64 << 10;

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        foreach (var segment in part.Segments())
        {
            for (var rest = segment; !rest.IsEmpty; rest = rest[Math.Min(rest.Length, Slice)..])
            {
                var slice = rest[..Math.Min(rest.Length, Slice)];
                if (bandwidth is not null)
                    await WaitForTurnAsync(bandwidth.WaitAsync(slice.Length, cancellationToken));
                await stream.WriteAsync(slice, cancellationToken);
                count(slice.Length);
                watch.Moved();
            }
        }
    }

    // Waiting for a turn under a low limit is no stall.
    private async Task WaitForTurnAsync(Task turn)
    {
        while (!turn.IsCompleted)
        {
            await Task.WhenAny(turn, Task.Delay(TimeSpan.FromSeconds(1)));
            watch.Moved();
        }

        await turn;
    }

    protected override bool TryComputeLength(out long length)
    {
        length = part.Length;
        return true;
    }
}
