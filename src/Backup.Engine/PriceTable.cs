using System.Text.Json;
using System.Text.Json.Serialization;

namespace Backup.Engine;

/// <summary>What S3 storage costs, by AWS's list prices. Prices are data: <c>prices.json</c>.</summary>
internal sealed record PriceTable(string Currency, string Region, string AsOf, IReadOnlyDictionary<string, ClassPrice> Classes)
{
    private const decimal Gigabyte = 1L << 30;
    private const string Standard = "STANDARD";

    private static readonly Lazy<PriceTable> Shipped = new(Load);

    /// <summary>The prices that ship with the module.</summary>
    public static PriceTable Current => Shipped.Value;

    /// <summary>The region and month of the prices.</summary>
    public string Source => $"{Region}, {AsOf}";

    /// <summary>What an object costs a month, its overhead included.</summary>
    public decimal Monthly(ClassPrice price, long bytes) =>
        ((Math.Max(bytes, price.MinimumBytes) + price.OverheadBytes) * price.GigabyteMonth / Gigabyte)
        + (price.OverheadStandardBytes * Classes[Standard].GigabyteMonth / Gigabyte);

    private static PriceTable Load()
    {
        using var stream = typeof(PriceTable).Assembly.GetManifestResourceStream("prices.json")!;
        return JsonSerializer.Deserialize(stream, PriceJson.Default.PriceTable)!;
    }
}

/// <summary>The prices of a storage class: amounts a GiB and month and a thousand PUTs; what each object adds; what is charged at least.</summary>
internal sealed record ClassPrice(decimal GigabyteMonth, decimal PutPer1000, long OverheadBytes, long OverheadStandardBytes, int MinimumDays, long MinimumBytes);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(PriceTable))]
internal sealed partial class PriceJson : JsonSerializerContext;
