using System.Net;
using Backup.Engine.Stores.Transfer;

namespace Backup.Engine.Stores.S3;

/// <summary>Sends a <see cref="PartBuffer"/> block by block.</summary>
internal sealed class PartContent(PartBuffer part, StallWatch watch, IProgress<long>? progress, BandwidthLimit? bandwidth, Action<int> count) : HttpContent
{
    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        foreach (var segment in part.Segments())
        {
            if (bandwidth is not null)
                await bandwidth.WaitAsync(segment.Length, cancellationToken);
            await stream.WriteAsync(segment, cancellationToken);
            count(segment.Length);
            watch.Moved();
            progress?.Report(segment.Length);
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        length = part.Length;
        return true;
    }
}
