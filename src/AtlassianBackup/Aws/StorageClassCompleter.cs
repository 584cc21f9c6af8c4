namespace AtlassianBackup;

/// <summary>Completes S3's storage classes. Compatible stores may have others, so nothing is refused here.</summary>
public sealed class StorageClassCompleter : ListCompleter
{
    /// <inheritdoc/>
    protected override IEnumerable<(string Value, string Tip)> Values() =>
    [
        ("DEEP_ARCHIVE", "Cheapest; readable within 12 to 48 hours; 180 days are charged at least"),
        ("GLACIER", "Flexible Retrieval: readable within minutes to hours; 90 days at least"),
        ("GLACIER_IR", "Instant Retrieval: readable at once; 90 days at least"),
        ("INTELLIGENT_TIERING", "S3 moves it by how often it is read"),
        ("ONEZONE_IA", "Infrequent access, one zone; 30 days at least"),
        ("STANDARD", "Readable at once, nothing charged for reading"),
        ("STANDARD_IA", "Infrequent access; 30 days at least"),
    ];
}
