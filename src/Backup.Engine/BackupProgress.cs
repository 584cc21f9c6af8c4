namespace Backup.Engine;

/// <summary>Where a run stands. Engines report as often as they like; whoever shows it throttles.</summary>
/// <param name="Activity">What is being done, as a short sentence without a full stop.</param>
/// <param name="Item">The item at hand, or null.</param>
/// <param name="BytesDone">Bytes done.</param>
/// <param name="BytesTotal">Bytes in all, or null while not known.</param>
/// <param name="ItemsDone">Items done.</param>
/// <param name="ItemsTotal">Items in all, or null while not known.</param>
public sealed record BackupProgress(string Activity, string? Item, long BytesDone, long? BytesTotal, long ItemsDone, long? ItemsTotal);
