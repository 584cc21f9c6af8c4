using System.Text.Json;
using System.Text.Json.Serialization;

namespace Backup.Engine.PrePost;

/// <summary>
/// The input document of AWS's sample (https://github.com/aws-samples/aws-backup-prepost-script-sample), unchanged. Its limits are those that
/// the sample documents, but for one: it says that SourceS3Path has 50 characters at the most, which its own example exceeds.
/// </summary>
public static class PrePostDocument
{
    private const string Source = "https://github.com/aws-samples/aws-backup-prepost-script-sample";

    /// <summary>Puts what a document says into options; what the options hold already about targets, scripts, vault and role is replaced.</summary>
    /// <exception cref="BackupException"><see cref="FailureKind.InvalidInput"/>, naming the field.</exception>
    public static PrePostOptions Apply(string json, PrePostOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var document = Read(json);
        var ids = document.TargetEC2Instances ?? [];
        PrePostLimits.CheckTargets(ids, document.TargetEC2TagKey, document.TargetEC2TagValue, "TargetEC2Instances", "TargetEC2TagKey", "TargetEC2TagValue");
        var backup = document.BackupDetails ?? throw PrePostLimits.Invalid("BackupDetails", "is missing", "Give BackupVaultName and IamRoleArn in it.");
        PrePostLimits.CheckVault(backup.BackupVaultName ?? "", "BackupDetails.BackupVaultName");
        PrePostLimits.CheckRole(backup.IamRoleArn ?? "", "BackupDetails.IamRoleArn");
        var scripts = document.RemoteRunCommandDetails;
        return options with
        {
            InstanceIds = ids,
            TagKey = document.TargetEC2TagKey,
            TagValue = document.TargetEC2TagValue,
            StopInstance = document.StartStopEC2Required ?? options.StopInstance,
            PreScript = Script(scripts?.PreBackupScriptDetails, "PreBackupScriptDetails") ?? options.PreScript,
            PostScript = Script(scripts?.PostBackupScriptDetails, "PostBackupScriptDetails") ?? options.PostScript,
            BackupVaultName = backup.BackupVaultName!,
            IamRoleArn = backup.IamRoleArn!,
        };
    }

    private static PrePostScript? Script(ScriptDetails? details, string name)
    {
        if (details is null)
            return null;
        var field = $"RemoteRunCommandDetails.{name}";
        if (string.IsNullOrEmpty(details.SourceS3Path))
            throw PrePostLimits.Invalid($"{field}.SourceS3Path", "is missing or empty", "Give the address of the script in S3.");
        if (string.IsNullOrWhiteSpace(details.CommandToRun))
            throw PrePostLimits.Invalid($"{field}.CommandToRun", "is missing or empty", "Give the command line that runs the script.");
        var script = new PrePostScript
        {
            SourceS3Path = details.SourceS3Path,
            CommandToRun = details.CommandToRun,
            WorkingDirectory = details.WorkingDirectory,
            DeliverySeconds = details.TimeoutInSeconds,
            OutputS3BucketName = details.OutputS3BucketName,
            OutputS3KeyPrefix = details.OutputS3KeyPrefix,
        };
        PrePostLimits.CheckScript(script, field);
        return script;
    }

    private static string Form(string field) => field.Split('.', '[')[^1] switch
    {
        _ when field.StartsWith("TargetEC2Instances", StringComparison.Ordinal) => "a list of instance ids, such as [\"i-0123456789abcdef0\"]",
        "StartStopEC2Required" => "true or false, without quotes",
        "TimeoutInSeconds" => "a whole number",
        "The input document" or "RemoteRunCommandDetails" or "PreBackupScriptDetails" or "PostBackupScriptDetails" or "BackupDetails" => "an object in braces",
        _ => "text in quotes",
    };

    private static InputDocument Read(string json)
    {
        try
        {
            return JsonSerializer.Deserialize(json, PrePostDocumentJson.Default.InputDocument) ?? throw new JsonException("it is empty");
        }
        catch (JsonException exception)
        {
            if (exception.Message.Split('\'') is [_, { } unknown, _, ..] && exception.Message.Contains("could not be mapped", StringComparison.Ordinal))
                throw PrePostLimits.Invalid(unknown, "is no field of the input document", $"Check its spelling; the fields are described at {Source}.");
            var place = exception.Path is { Length: > 2 } path ? $" at {path[2..]}" : "";
            if (exception.Message.Contains("could not be converted", StringComparison.Ordinal))
            {
                var field = exception.Path is { Length: > 2 } named ? named[2..] : "The input document";
                throw PrePostLimits.Invalid(field, "is not of the kind that is read here", $"It must be {Form(field)}. The fields are described at {Source}.");
            }

            // What Get-Content gives line by line is no document.
            if (exception.Message.Contains("depth to be zero", StringComparison.Ordinal) || json.Trim() is "{")
                throw new BackupException(FailureKind.InvalidInput, "The input document is only the beginning of one.", "Give it whole: -InputFile, or Get-Content -Raw.", exception);
            throw new BackupException(FailureKind.InvalidInput, $"The input document cannot be read{place}: {exception.Message.Split(" Path:")[0].TrimEnd('.')}.", $"Its form is described at {Source}.", exception);
        }
    }
}

internal sealed record InputDocument
{
    public string? TargetEC2TagKey { get; init; }

    public string? TargetEC2TagValue { get; init; }

    public IReadOnlyList<string>? TargetEC2Instances { get; init; }

    public bool? StartStopEC2Required { get; init; }

    public RemoteRunCommandDetails? RemoteRunCommandDetails { get; init; }

    public BackupDetails? BackupDetails { get; init; }
}

internal sealed record RemoteRunCommandDetails
{
    public ScriptDetails? PreBackupScriptDetails { get; init; }

    public ScriptDetails? PostBackupScriptDetails { get; init; }
}

internal sealed record ScriptDetails
{
    public string? SourceS3Path { get; init; }

    public string? CommandToRun { get; init; }

    public string? WorkingDirectory { get; init; }

    /// <summary>A number; the sample's table calls it a string.</summary>
    public int? TimeoutInSeconds { get; init; }

    public string? OutputS3BucketName { get; init; }

    public string? OutputS3KeyPrefix { get; init; }
}

internal sealed record BackupDetails
{
    public string? BackupVaultName { get; init; }

    public string? IamRoleArn { get; init; }
}

[JsonSourceGenerationOptions(NumberHandling = JsonNumberHandling.AllowReadingFromString, AllowTrailingCommas = true, ReadCommentHandling = JsonCommentHandling.Skip, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(InputDocument))]
internal sealed partial class PrePostDocumentJson : JsonSerializerContext;
