using System.Text.RegularExpressions;

namespace Backup.Engine.PrePost;

/// <summary>What a run's options must hold to: the limits that AWS and the sample document, each named by its field.</summary>
internal static partial class PrePostLimits
{
    /// <summary>As many as the sample takes, and as one command may name.</summary>
    public const int MaxInstances = 50;

    private const int MaxTagKey = 163;
    private const int MaxVaultName = 50;
    private const int MinDelivery = 30;
    private const int MaxDelivery = 2_592_000;
    private const int MaxExecution = 28_800;
    private const int MaxBackup = 100 * 24 * 3600;
    private const int MaxKeyPrefix = 500;
    private const int MaxWorkingDirectory = 4096;
    private const int MaxSource = 2048;
    private const int MaxRetry = 10;
    private const int MaxTags = 50;
    private const int MaxRecoveryPointTagKey = 128;
    private const int MaxRecoveryPointTagValue = 256;

    /// <summary>Checks everything that does not depend on what there is in AWS.</summary>
    /// <exception cref="BackupException"><see cref="FailureKind.InvalidInput"/>, naming the field.</exception>
    public static void Check(PrePostOptions options)
    {
        CheckTargets(options.InstanceIds, options.TagKey, options.TagValue, "InstanceId", "TagKey", "TagValue");
        CheckVault(options.BackupVaultName, "BackupVaultName");
        CheckRole(options.IamRoleArn, "IamRoleArn");
        foreach (var (name, script) in new[] { ("PreScript", options.PreScript), ("PostScript", options.PostScript), ("OnFailureScript", options.OnFailureScript), ("FinallyScript", options.FinallyScript) })
        {
            if (script is not null)
                CheckScript(script, name);
        }

        Range(options.DeliveryTimeout.TotalSeconds, MinDelivery, MaxDelivery, "DeliveryTimeout", "seconds");
        Range(options.ExecutionTimeout.TotalSeconds, 1, MaxExecution, "ExecutionTimeout", "seconds");
        Range(options.BackupTimeout.TotalSeconds, 1, MaxBackup, "BackupTimeout", "seconds");
        Range(options.Retry, 0, MaxRetry, "Retry", "attempts");
        Range(options.Throttle, 1, 1000, "Throttle", "instances");
        if (options.Lifecycle is { } lifecycle)
            CheckLifecycle(lifecycle);
        if (options.RecoveryPointTags is { } tags)
            CheckTags(tags);
    }

    /// <summary>A tag, or instances; not both, and not neither.</summary>
    public static void CheckTargets(IReadOnlyList<string> ids, string? tagKey, string? tagValue, string idField, string keyField, string valueField)
    {
        if (tagKey is null != tagValue is null)
            throw Invalid(tagKey is null ? keyField : valueField, $"is missing: {keyField} and {valueField} belong together", "Give both, or neither.");
        if (tagKey is not null && ids.Count > 0)
            throw Invalid(idField, $"is given together with {keyField}", "Give a tag or instances, not both.");
        if (tagKey is null && ids.Count == 0)
            throw Invalid(idField, $"is empty, and there is no {keyField}", "Name the instances, or a tag that they have.");
        if (tagKey is not null)
            Length(tagKey, 1, MaxTagKey, keyField);
        if (ids.Count > MaxInstances)
            throw Invalid(idField, $"has {ids.Count} instances; {MaxInstances} are the most", "Split them into several runs.");
        if (ids.FirstOrDefault(id => !InstanceId().IsMatch(id)) is { } bad)
            throw Invalid(idField, $"has '{bad}', which is no instance id", "An instance id looks like i-0123456789abcdef0.");
    }

    public static void CheckVault(string name, string field) => Length(name, 1, MaxVaultName, field);

    public static void CheckRole(string arn, string field)
    {
        if (arn.Length == 0)
            throw Invalid(field, "is missing", "Give the ARN of a role that AWS Backup may take.");
        if (!RoleArn().IsMatch(arn))
            throw Invalid(field, $"is '{arn}', which is no ARN of a role", "It looks like arn:aws:iam::123456789012:role/Backup.");
    }

    public static void CheckScript(PrePostScript script, string field)
    {
        var kinds = (script.Commands is null ? 0 : 1) + (script.SourceS3Path is null ? 0 : 1) + (script.Document is null ? 0 : 1);
        if (kinds != 1)
            throw Invalid(field, kinds == 0 ? "names nothing to run" : "names more than one thing to run", "Give commands as text, an object of S3 with its command line, or an SSM document.");
        if (script.Commands is { } commands && string.IsNullOrWhiteSpace(commands))
            throw Invalid(field, "is empty", "Give commands, or leave it out.");
        if (script.SourceS3Path is { } source)
        {
            Length(source, 1, MaxSource, $"{field}.SourceS3Path");
            if (!IsObject(source))
                throw Invalid($"{field}.SourceS3Path", $"is '{source}', which is no address of S3", "Give https://bucket.s3.amazonaws.com/key or s3://bucket/key.");
        }
        else if (script.CommandToRun is not null)
        {
            throw Invalid($"{field}.CommandToRun", "is given without SourceS3Path", "Name the object of S3 that it runs.");
        }

        if (script.Document is { } document && string.IsNullOrWhiteSpace(document))
            throw Invalid($"{field}.Document", "is empty", "Name an SSM document, as in document:Acme-Freeze.");
        if (script.CommandToRun is { } command && string.IsNullOrWhiteSpace(command))
            throw Invalid($"{field}.CommandToRun", "is empty", "Give the command line, or leave it out to run the file itself.");
        if (script.Document is null && (script.DocumentVersion is not null || script.Parameters is not null))
            throw Invalid(field, "has a version or parameters without a document", "Name the document.");
        if (script.WorkingDirectory is { } directory)
            Length(directory, 0, MaxWorkingDirectory, $"{field}.WorkingDirectory");
        if (script.DeliverySeconds is { } seconds)
            Range(seconds, MinDelivery, MaxDelivery, $"{field}.TimeoutInSeconds", "seconds");
        if (script.OutputS3BucketName is { } bucket)
            Length(bucket, 3, 63, $"{field}.OutputS3BucketName");
        if (script.OutputS3KeyPrefix is { } prefix)
            Length(prefix, 1, MaxKeyPrefix, $"{field}.OutputS3KeyPrefix");
    }

    // s3://bucket/key, or a web address whose host is one of S3's: a key must be there. https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
    private static bool IsObject(string source)
    {
        const string Scheme = "s3://";
        if (source.StartsWith(Scheme, StringComparison.Ordinal))
            return source[Scheme.Length..].Split('/', 2) is [{ Length: >= 3 }, { Length: > 0 }];
        return Uri.TryCreate(source, UriKind.Absolute, out var url) && url.Scheme == Uri.UriSchemeHttps && url.AbsolutePath.Length > 1
            && url.Host.Split('.').Any(label => label is "s3" || label.StartsWith("s3-", StringComparison.Ordinal));
    }

    // https://docs.aws.amazon.com/general/latest/gr/aws_tagging.html: what AWS Backup would refuse when the instance is stopped already.
    private static void CheckTags(IReadOnlyDictionary<string, string> tags)
    {
        if (tags.Count > MaxTags)
            throw Invalid("RecoveryPointTag", $"has {tags.Count} tags", $"{MaxTags} are the most.");
        foreach (var (key, value) in tags)
        {
            Length(key, 1, MaxRecoveryPointTagKey, $"The key '{key}' of RecoveryPointTag");
            if (key.StartsWith("aws:", StringComparison.OrdinalIgnoreCase))
                throw Invalid($"The key '{key}' of RecoveryPointTag", "begins with aws:, which is AWS's own", "Name it otherwise.");
            if (value.Length > MaxRecoveryPointTagValue)
                throw Invalid($"The value of '{key}' in RecoveryPointTag", $"is {value.Length} characters long", $"It must be 0 to {MaxRecoveryPointTagValue} characters long.");
        }
    }

    private static void CheckLifecycle(RecoveryPointLifecycle lifecycle)
    {
        if (lifecycle.DeleteAfterDays is { } delete)
            Range(delete, 1, 36_500, "Lifecycle.DeleteAfterDays", "days");
        if (lifecycle.MoveToColdStorageAfterDays is { } move)
        {
            Range(move, 1, 36_500, "Lifecycle.MoveToColdStorageAfterDays", "days");
            if (lifecycle.DeleteAfterDays < move + 90)
                throw Invalid("Lifecycle.DeleteAfterDays", $"is {lifecycle.DeleteAfterDays}: what moves to cold storage after {move} days stays there for 90", $"Give {move + 90} or more, or leave it out.");
        }
    }

    private static void Length(string text, int min, int max, string field)
    {
        if (text.Length < min || text.Length > max)
            throw Invalid(field, text.Length == 0 ? "is missing or empty" : $"is {text.Length} characters long", $"It must be {min} to {max} characters long.");
    }

    private static void Range(double value, double min, double max, string field, string unit)
    {
        if (!(value >= min && value <= max))
            throw Invalid(field, $"is {value} {unit}", $"It must be {min} to {max} {unit}.");
    }

    internal static BackupException Invalid(string field, string what, string advice) => new(FailureKind.InvalidInput, $"{field} {what}.", advice);

    [GeneratedRegex("^i-([0-9a-f]{8}|[0-9a-f]{17})$", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex InstanceId();

    [GeneratedRegex(@"^arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+$", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex RoleArn();
}
