namespace Backup.Engine.Stores;

/// <summary>The storage classes of S3 (https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html, x-amz-storage-class).</summary>
public static class StorageClasses
{
    /// <summary>What folders are stored in where nothing else is said: the cheapest, and read back within hours.</summary>
    public const string Default = "DEEP_ARCHIVE";

    /// <summary>Those that objects can be put into.</summary>
    public static IReadOnlyList<string> All { get; } =
        ["STANDARD", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE", "REDUCED_REDUNDANCY", "EXPRESS_ONEZONE"];

    /// <summary>The class as S3 spells it.</summary>
    /// <exception cref="BackupException"><see cref="FailureKind.InvalidInput"/> for any other word.</exception>
    public static string Parse(string name) =>
        All.FirstOrDefault(known => known.Equals(name, StringComparison.OrdinalIgnoreCase))
        ?? throw new BackupException(FailureKind.InvalidInput, $"'{name}' is not a storage class.", $"Give one of {string.Join(", ", All)}.");
}
