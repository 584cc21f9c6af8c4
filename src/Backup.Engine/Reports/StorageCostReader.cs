using Backup.Engine.Stores;

namespace Backup.Engine.Reports;

/// <summary>Adds up what the current objects of a store cost.</summary>
internal static class StorageCostReader
{
    /// <summary>Lists the whole store.</summary>
    public static async Task<StorageCost> ReadAsync(IObjectStore store, IProgress<BackupProgress>? progress, CancellationToken cancellationToken)
    {
        var prices = PriceTable.Current;
        var meter = new ProgressMeter(progress, $"Listing {store.Location}", 0, 0);
        var classes = new SortedDictionary<string, StorageClassCost>(StringComparer.Ordinal);
        await foreach (var item in store.ListAsync("", cancellationToken))
        {
            var name = item.StorageClass ?? "STANDARD";
            decimal? monthly = prices.Classes.TryGetValue(name, out var price) ? prices.Monthly(price, item.Size) : null;
            var sum = classes.GetValueOrDefault(name) ?? new(name, 0, 0, monthly is null ? null : 0);
            classes[name] = new(name, sum.Objects + 1, sum.Bytes + item.Size, sum.Monthly + monthly);
            meter.Finish(item.Key);
        }

        return new()
        {
            Currency = prices.Currency,
            PricesAsOf = prices.Source,
            Monthly = Math.Round(classes.Values.Sum(use => use.Monthly ?? 0), 4),
            Classes = [.. classes.Values.Select(use => use with { Monthly = use.Monthly is { } monthly ? Math.Round(monthly, 4) : null })],
        };
    }
}
