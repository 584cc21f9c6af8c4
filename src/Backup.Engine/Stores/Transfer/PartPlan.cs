namespace Backup.Engine.Stores.Transfer;

/// <summary>
/// How large each part of a multipart upload is. The plan depends on the object's length alone, so that a later run that continues
/// an interrupted upload cuts its source at the same places. S3 takes at most 10,000 parts of at most 5 GiB
/// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html).
/// </summary>
internal sealed class PartPlan
{
    /// <summary>The most parts of one upload.</summary>
    public const int MaxParts = 10_000;

    private const long MiB = 1L << 20;

    // Of a source of unknown length every 800th part begins a size twice as large, up to 1 GiB:
    // 8 MiB parts for the first 6 GiB, and 5 TiB within 10,000 parts.
    private const int PartsPerStep = 800;
    private const int MaxSteps = 7;

    private readonly long _size;
    private readonly bool _grows;

    /// <summary>Plans the parts of an object.</summary>
    /// <param name="length">Its length in bytes, or null where that is not known.</param>
    /// <param name="partSize">The size to begin with.</param>
    public PartPlan(long? length, long partSize)
    {
        _grows = length is null;
        var needed = ((length ?? 0) + MaxParts - 1) / MaxParts;
        _size = needed <= partSize ? partSize : (needed + MiB - 1) / MiB * MiB;
    }

    /// <summary>The size of a part in bytes; the last one may be shorter.</summary>
    /// <param name="number">The part's number, from 1.</param>
    public long SizeOf(int number) => _grows ? _size << Math.Min((number - 1) / PartsPerStep, MaxSteps) : _size;
}
