using System.Reflection;
using System.Text.Json;
using Backup.Engine.Aws.AwsBackup;
using Backup.Engine.Aws.CodeArtifact;
using Backup.Engine.Aws.Ec2;
using Backup.Engine.Aws.SecretsManager;
using Backup.Engine.Aws.Sns;
using Backup.Engine.Aws.Ssm;
using Backup.Engine.Aws.Sts;

namespace Backup.Engine.Tests.Aws;

/// <summary>
/// AWS's own service models, which botocore carries, as the oracle of names: a member that the service does not know would be ignored in silence,
/// and one that is misspelt would always be null.
/// </summary>
public sealed class ServiceModelTests
{
    // What is ours: parts of requests that the model writes flat.
    private static readonly HashSet<Type> Ours = [typeof(RepositoryReference), typeof(PackageReference), typeof(GetPackageVersionAssetResponse)];

    [Theory]
    [InlineData("ssm", typeof(SsmClient))]
    [InlineData("secretsmanager", typeof(SecretsManagerClient))]
    [InlineData("backup", typeof(BackupClient))]
    [InlineData("codeartifact", typeof(CodeArtifactClient))]
    [InlineData("ec2", typeof(Ec2Client))]
    [InlineData("sns", typeof(SnsClient))]
    [InlineData("sts", typeof(StsClient))]
    public async Task Operations_and_members_are_those_of_the_service(string service, Type client)
    {
        using var model = await ServiceModel.ReadAsync(service);
        var operations = model.RootElement.GetProperty("operations").EnumerateObject().Select(o => o.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var method in client.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly).Where(m => m.Name.EndsWith("Async", StringComparison.Ordinal)))
            operations.Contains(method.Name[..^5]).ShouldBeTrue($"{service} has no {method.Name[..^5]}");

        // EC2's are mapped by hand and proven against moto_server.
        if (service == "ec2")
            return;
        var shapes = model.RootElement.GetProperty("shapes");
        var records = client.Assembly.GetTypes()
            .Where(type => type.Namespace == client.Namespace && type != client && !Ours.Contains(type) && !type.Name.EndsWith("Json", StringComparison.Ordinal) && !type.Name.StartsWith('<') && type is { IsNested: false, IsAbstract: false })
            .ToList();
        records.ShouldNotBeEmpty();
        foreach (var record in records)
        {
            var known = Shape(record.Name, shapes).ShouldNotBeNull($"{service} has no {record.Name}");
            foreach (var property in record.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(p => p.Name != "EqualityContract" && !Ours.Contains(p.PropertyType)))
                known.Contains(property.Name).ShouldBeTrue($"{record.Name} of {service} has no {property.Name}");
        }
    }

    // The SDK calls a Result, an Input and an Output by Request and Response.
    private static HashSet<string>? Shape(string name, JsonElement shapes)
    {
        var stem = name.Replace("Request", "", StringComparison.Ordinal).Replace("Response", "", StringComparison.Ordinal);
        string[] names = name.EndsWith("Request", StringComparison.Ordinal) ? [name, stem + "Input"]
            : name.EndsWith("Response", StringComparison.Ordinal) ? [name, stem + "Result", stem + "Output"]
            // Two operations describe a job; one knows more of it.
            : name == "BackupJob" ? ["DescribeBackupJobOutput"] : [name];
        foreach (var candidate in names)
        {
            if (shapes.TryGetProperty(candidate, out var shape))
                return shape.GetProperty("members").EnumerateObject().Select(m => char.ToUpperInvariant(m.Name[0]) + m.Name[1..]).ToHashSet(StringComparer.Ordinal);
        }

        // An operation without output has no shape for it.
        return name.EndsWith("Response", StringComparison.Ordinal) ? [] : null;
    }
}
