namespace Backup.TestServers.S3.Operations;

internal static class StorageClasses
{
    private static readonly string[] Known =
    [
        "STANDARD", "REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER", "DEEP_ARCHIVE", "GLACIER_IR",
    ];

    public static string Check(string? asked)
    {
        if (asked is null)
            return "STANDARD";
        return Known.Contains(asked, StringComparer.Ordinal)
            ? asked
            : throw new S3Error(400, "InvalidStorageClass", "The storage class you specified is not valid").With("StorageClassRequested", asked);
    }
}
