using System.Diagnostics.CodeAnalysis;

namespace Backup.Engine.Stores;

/// <summary>A destination as a user writes it: <c>s3://bucket</c>, <c>s3://bucket/prefix</c>, or a directory.</summary>
public sealed record StoreLocation
{
    private const string Scheme = "s3://";

    private StoreLocation(string? bucket, string prefix, string? directory)
    {
        Bucket = bucket;
        Prefix = prefix;
        Directory = directory;
    }

    /// <summary>The bucket, or null for a directory.</summary>
    public string? Bucket { get; }

    /// <summary>The prefix in the bucket: empty, or ending with a slash.</summary>
    public string Prefix { get; }

    /// <summary>The directory as an absolute path, or null for S3.</summary>
    public string? Directory { get; }

    /// <summary>Whether this is S3.</summary>
    [MemberNotNullWhen(true, nameof(Bucket))]
    [MemberNotNullWhen(false, nameof(Directory))]
    public bool IsS3 => Bucket is not null;

    /// <summary>Reads a destination. A relative directory is taken from <paramref name="baseDirectory"/>, or from the process's own.</summary>
    /// <exception cref="BackupException"><see cref="FailureKind.InvalidInput"/>, naming the rule that is broken.</exception>
    public static StoreLocation Parse(string text, string? baseDirectory = null)
    {
        if (string.IsNullOrWhiteSpace(text))
            throw Invalid("The destination is empty.");
        if (!text.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
        {
            if (text.Contains("://", StringComparison.Ordinal))
                throw Invalid($"'{text}' is neither s3://bucket/prefix nor a directory.");
            return ForDirectory(baseDirectory is null ? text : Path.Combine(baseDirectory, text));
        }

        var rest = text[Scheme.Length..];
        var slash = rest.IndexOf('/', StringComparison.Ordinal);
        return slash < 0 ? ForBucket(rest) : ForBucket(rest[..slash], rest[(slash + 1)..]);
    }

    /// <summary>A directory.</summary>
    public static StoreLocation ForDirectory(string path) => new(null, "", Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)));

    /// <summary>A bucket, or a prefix of one.</summary>
    /// <exception cref="BackupException"><see cref="FailureKind.InvalidInput"/>, naming the rule that is broken.</exception>
    public static StoreLocation ForBucket(string bucket, string prefix = "")
    {
        ArgumentNullException.ThrowIfNull(prefix);
        if (BrokenBucketRule(bucket) is { } rule)
            throw Invalid($"'{bucket}' is not a bucket name: {rule}.");
        prefix = prefix.Trim('/');
        return new(bucket, prefix.Length == 0 ? "" : prefix + "/", null);
    }

    /// <inheritdoc/>
    public override string ToString() => IsS3 ? Scheme + Bucket + "/" + Prefix.TrimEnd('/') : Directory;

    // https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
    private static string? BrokenBucketRule(string name) => name switch
    {
        { Length: < 3 or > 63 } => "it must be 3 to 63 characters long",
        _ when name.Any(c => !char.IsAsciiLetterLower(c) && !char.IsAsciiDigit(c) && c is not ('.' or '-')) => "it may hold only a-z, 0-9, dots and hyphens",
        _ when !char.IsAsciiLetterOrDigit(name[0]) || !char.IsAsciiLetterOrDigit(name[^1]) => "it must begin and end with a letter or digit",
        _ when name.Contains("..", StringComparison.Ordinal) => "it must not hold two dots in a row",
        _ when System.Net.IPAddress.TryParse(name, out _) && name.Count(c => c == '.') == 3 => "it must not look like an IP address",
        _ when name.StartsWith("xn--", StringComparison.Ordinal) || name.StartsWith("sthree-", StringComparison.Ordinal) => "that beginning is reserved",
        _ when name.EndsWith("-s3alias", StringComparison.Ordinal) || name.EndsWith("--ol-s3", StringComparison.Ordinal) => "that ending is reserved",
        _ => null,
    };

    private static BackupException Invalid(string message) =>
        new(FailureKind.InvalidInput, message, "Give s3://bucket, s3://bucket/prefix, or a directory path.");
}
