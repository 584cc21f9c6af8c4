using System.Text.Json;
using System.Text.Json.Nodes;

namespace Backup.Engine.Tests.PrePost;

/// <summary>The input document of AWS's sample, as its README has it: names, nesting and order are the contract.</summary>
internal static class SampleDocument
{
    public const string Bucket = "backup-status-bucket";

    public static JsonObject Create() => (JsonObject)JsonNode.Parse($$"""
        {
            "TargetEC2TagKey": "backup-job",
            "TargetEC2TagValue": "true",
            "StartStopEC2Required": true,
            "RemoteRunCommandDetails": {
                "PreBackupScriptDetails": {
                    "SourceS3Path": "https://{{Bucket}}.s3.amazonaws.com/scripts/pre-script.sh",
                    "CommandToRun": "pre-script.sh",
                    "WorkingDirectory": "",
                    "TimeoutInSeconds": 600,
                    "OutputS3BucketName": "{{Bucket}}",
                    "OutputS3KeyPrefix": "pre-script-logs"
                },
                "PostBackupScriptDetails": {
                    "SourceS3Path": "https://{{Bucket}}.s3.amazonaws.com/scripts/post-script.sh",
                    "CommandToRun": "post-script.sh",
                    "WorkingDirectory": "",
                    "TimeoutInSeconds": 600,
                    "OutputS3BucketName": "{{Bucket}}",
                    "OutputS3KeyPrefix": "post-script-logs"
                }
            },
            "BackupDetails": {
                "BackupVaultName": "vault",
                "IamRoleArn": "{{PrePostPlace.Role}}"
            }
        }
        """)!;

    /// <summary>The document with one value changed: a path of names, and JSON; null removes it.</summary>
    public static string With(string path, string? json)
    {
        var document = Create();
        var names = path.Split('.');
        var parent = names[..^1].Aggregate((JsonNode)document, (node, name) => node[name]!).AsObject();
        parent.Remove(names[^1]);
        if (json is not null)
            parent[names[^1]] = JsonNode.Parse(json, null, new JsonDocumentOptions());
        return document.ToJsonString();
    }
}
