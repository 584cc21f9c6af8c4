using System.Net;
using Backup.Engine.Stores.Transfer;

namespace Backup.Engine.Stores.S3;

/// <summary>Sends a <see cref="PartBuffer"/> block by block.</summary>
internal sealed class PartContent(PartBuffer part, StallWatch watch, BandwidthLimit? bandwidth, Action<int> count) : HttpContent
{
    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        foreach (var segment in part.Segments())
        {
            if (bandwidth is not null)
                await WaitForTurnAsync(bandwidth.WaitAsync(segment.Length, cancellationToken));
            await stream.WriteAsync(segment, cancellationToken);
            count(segment.Length);
            watch.Moved();
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
