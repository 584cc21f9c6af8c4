namespace AtlassianBackup.Pipeline;

/// <summary>What a progress bar shows.</summary>
/// <param name="Activity">What is being done.</param>
/// <param name="Item">The item at hand, or null.</param>
/// <param name="BytesDone">Bytes done.</param>
/// <param name="BytesTotal">Bytes in all, or null while not known.</param>
/// <param name="ItemsDone">Items done.</param>
/// <param name="ItemsTotal">Items in all, or null while not known.</param>
public sealed record ProgressSnapshot(string Activity, string? Item, long BytesDone, long? BytesTotal, long ItemsDone, long? ItemsTotal);
