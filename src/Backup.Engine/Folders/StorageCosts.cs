using Backup.Engine.Stores.Transfer;

namespace Backup.Engine.Folders;

/// <summary>What a sync would cost on AWS, by the list prices that ship with the module. An estimate: taxes, discounts and transfer are left out.</summary>
public sealed record CostEstimate
{
    /// <summary>The currency of the amounts.</summary>
    public required string Currency { get; init; }

    /// <summary>The region and month of the prices.</summary>
    public required string PricesAsOf { get; init; }

    /// <summary>Requests that would be sent to store the files.</summary>
    public long Requests { get; init; }

    /// <summary>What those requests cost, once.</summary>
    public decimal RequestCost { get; init; }

    /// <summary>What the files to be sent cost a month, the overhead of each object included.</summary>
    public decimal MonthlyCost { get; init; }

    /// <summary>What is charged, once, for objects that are replaced or deleted before their class's minimum of days.</summary>
    public decimal EarlyDeletionCost { get; init; }
}

/// <summary>Adds up a <see cref="CostEstimate"/>.</summary>
internal sealed class StorageCosts
{
    private const decimal DaysAMonth = 30;

    private readonly ClassPrice _price;
    private readonly long _partSize;
    private readonly DateTimeOffset _now;
    private long _requests;
    private decimal _monthly;
    private decimal _early;

    private StorageCosts(ClassPrice price, long partSize, DateTimeOffset now) => (_price, _partSize, _now) = (price, partSize, now);

    /// <summary>Begins an estimate; null for a class without a known price.</summary>
    public static StorageCosts? For(string? storageClass, long partSize, DateTimeOffset now) =>
        storageClass is not null && PriceTable.Current.Classes.TryGetValue(storageClass, out var price) ? new(price, partSize, now) : null;

    /// <summary>A file that would be stored.</summary>
    public void Store(long bytes)
    {
        // A multipart upload is begun and completed by a request each.
        var parts = bytes <= _partSize ? 1 : (bytes + new PartPlan(bytes, _partSize).SizeOf(1) - 1) / new PartPlan(bytes, _partSize).SizeOf(1);
        _requests += parts == 1 ? 1 : parts + 2;
        _monthly += PriceTable.Current.Monthly(_price, bytes);
    }

    /// <summary>An object that would be replaced or deleted.</summary>
    public void Remove(long bytes, string? storageClass, long? storedAtTicks)
    {
        if (storageClass is null || storedAtTicks is not { } ticks || !PriceTable.Current.Classes.TryGetValue(storageClass, out var price))
            return;
        var left = price.MinimumDays - (decimal)(_now - new DateTimeOffset(ticks, TimeSpan.Zero)).TotalDays;
        if (left > 0)
            _early += PriceTable.Current.Monthly(price, bytes) * left / DaysAMonth;
    }

    /// <summary>The sum.</summary>
    public CostEstimate Total() => new()
    {
        Currency = PriceTable.Current.Currency,
        PricesAsOf = PriceTable.Current.Source,
        Requests = _requests,
        RequestCost = Math.Round(_requests * _price.PutPer1000 / 1000, 4),
        MonthlyCost = Math.Round(_monthly, 4),
        EarlyDeletionCost = Math.Round(_early, 4),
    };
}
