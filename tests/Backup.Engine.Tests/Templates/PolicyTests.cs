using System.IO.Enumeration;
using System.Reflection;
using System.Text.Json.Nodes;
using Backup.Engine.Aws.Api;
using Backup.Engine.Aws.AwsBackup;
using Backup.Engine.Aws.CodeArtifact;
using Backup.Engine.Aws.Ec2;
using Backup.Engine.Aws.Iam;
using Backup.Engine.Aws.SecretsManager;
using Backup.Engine.Aws.Sns;
using Backup.Engine.Aws.Ssm;
using Backup.Engine.Folders;
using Backup.Engine.Runs;
using Backup.Engine.Stores;
using Backup.Engine.Tests.Fixtures;
using Backup.Engine.Tests.Folders;
using Backup.Engine.Tests.Stores.S3;
using Backup.TestServers.S3;

namespace Backup.Engine.Tests.Templates;

/// <summary>The policies that ship in <c>module/policies</c>: what a command needs, and no more.</summary>
public sealed class PolicyTests
{
    // Not STS: who asks whose its credentials are needs no permission.
    private static readonly Type[] _clients = [typeof(BackupClient), typeof(CodeArtifactClient), typeof(Ec2Client), typeof(IamClient), typeof(SecretsManagerClient), typeof(SnsClient), typeof(SsmClient)];

    // What the service asks for beside, or instead of, the operation of that name.
    private static readonly string[] _beside = ["iam:PassRole", "sts:GetServiceBearerToken", "codeartifact:PutPackageMetadata", "codeartifact:ReadFromRepository", "kms:Decrypt", "kms:GenerateDataKey"];

    public static TheoryData<string> Names => [.. Directory.GetFiles(Folder, "*.json").Select(file => Path.GetFileNameWithoutExtension(file)!).Order(StringComparer.Ordinal)];

    private static string Folder => Path.Combine(Template.Root, "module", "policies");

    [Fact]
    public async Task Cfn_lint_knows_every_action_in_them()
    {
        using var directory = new TemporaryDirectory();
        var resources = new JsonObject(Names.Select(name => KeyValuePair.Create(
            string.Concat(name.Data.Split('-')), (JsonNode?)new JsonObject { ["Type"] = "AWS::IAM::ManagedPolicy", ["Properties"] = new JsonObject { ["PolicyDocument"] = Read(name.Data) } })));
        await File.WriteAllTextAsync(directory.Combine("policies.json"), new JsonObject { ["Resources"] = resources }.ToJsonString(), TestContext.Current.CancellationToken);
        // I3510 and W3037 compare with the service authorization reference; I3042 would have partitions, which a text to copy from cannot have.
        (await PeerProgram.RunAsync("cfn-lint", ["--include-checks", "I", "--ignore-checks", "I3042", "--template", directory.Combine("policies.json")])).Succeeded().ShouldBeEmpty();
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Nothing_is_allowed_on_everything(string name)
    {
        foreach (var statement in Statements(name))
        {
            Permissions.Actions(statement).ShouldAllBe(action => !action.Contains('*'));
            if (statement["Resource"] is JsonValue resource && (string)resource! == "*" && statement["Condition"] is null)
                Permissions.Actions(statement).Except(Permissions.WithoutResources, StringComparer.Ordinal).ShouldBeEmpty();
        }
    }

    [Fact]
    public void Every_operation_of_the_typed_clients_is_in_one_and_nothing_else_is()
    {
        var operations = _clients.SelectMany(client =>
        {
            var service = (AwsService)client.GetProperty("Service", BindingFlags.Public | BindingFlags.Static)!.GetValue(null)!;
            return client.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly)
                .Where(method => method.Name.EndsWith("Async", StringComparison.Ordinal))
                .Select(method => $"{service.SigningName ?? service.EndpointPrefix}:{method.Name[..^"Async".Length]}");
        });
        var allowed = Names.SelectMany(name => Statements(name.Data)).SelectMany(Permissions.Actions).Distinct(StringComparer.Ordinal);
        allowed.Where(action => !action.StartsWith("s3:", StringComparison.Ordinal)).Except(_beside, StringComparer.Ordinal).Order(StringComparer.Ordinal)
            .ShouldBe(operations.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Writing_reading_and_watching_are_enough_for_what_they_are_for()
    {
        await using var server = await StrictS3Server.StartAsync(new());
        server.State.CreateBucket("acme-backup", "Enabled");
        var policy = "destination-write";
        server.Faults.Add(new() { Match = request => !Allows(policy, request), Action = FaultAction.Status(403, "AccessDenied"), Times = int.MaxValue });
        using var place = new FolderPlace(StoreLocation.ForBucket("acme-backup", "server1/"), StrictS3Fixture.OptionsFor(server));
        place.Write("a.txt");
        // Of several parts.
        place.Write("b.bin", new string('b', 9 << 20));
        await place.SyncedAsync(Small);
        place.Write("a.txt", "edited");
        place.Write("c.txt");
        File.Delete(Path.Combine(place.Source, "b.bin"));
        (await place.SyncedAsync(Small)).Deleted.ShouldBe(1);
        place.LoseCache();
        (await place.SyncAsync()).New.ShouldBe(0);
        (await CancelledAsync(place, server)).ShouldBe("AbortMultipartUpload");

        policy = "destination-read";
        var runs = await place.RunsAsync();
        foreach (var run in runs)
        {
            (await place.RestoreAsync(place[run.RunId], o => o with { RunId = run.RunId })).Summary.Outcome.ShouldBe(Outcome.Completed);
            (await place.VerifyAsync(deep: true, run.RunId)).Passed.ShouldBeTrue();
        }

        (await RefusedAsync(place, "d.txt")).ShouldBe(FailureKind.PermissionDenied);

        policy = "destination-verify";
        var stop = TestContext.Current.CancellationToken;
        var verified = await RunVerifier.RunAsync(place.Location, new() { RunIds = [runs[0].RunId] }, deep: true, place.Options.Store, record: true, cancellationToken: stop).ToListAsync(stop);
        verified.ShouldHaveSingleItem().Passed.ShouldBeTrue();
        policy = "destination-watch";
        (await place.RunsAsync()).Count.ShouldBe(runs.Count);
        (await RefusedAsync(place, "e.txt")).ShouldBe(FailureKind.PermissionDenied);
    }

    /// <summary>Stops an upload of several parts in its middle; what the store was asked for then.</summary>
    private static async Task<string?> CancelledAsync(FolderPlace place, StrictS3Server server)
    {
        place.Write("big.bin", new string('c', 20 << 20));
        using var stop = new CancellationTokenSource();
        server.Faults.Add(new() { Match = request => Stop(request, stop), Action = FaultAction.Delay(TimeSpan.Zero) });
        await Should.ThrowAsync<OperationCanceledException>(() => place.SyncAsync(Small, stop.Token));
        File.Delete(Path.Combine(place.Source, "big.bin"));
        return server.Requests.LastOrDefault(request => request.Operation == "AbortMultipartUpload" && request.Status == 204)?.Operation;
    }

    private static bool Stop(RequestRecord request, CancellationTokenSource stop)
    {
        if (request is not { Operation: "UploadPart", PartNumber: 2 })
            return false;
        stop.Cancel();
        return true;
    }

    private static async Task<FailureKind?> RefusedAsync(FolderPlace place, string name)
    {
        place.Write(name);
        return (await Should.ThrowAsync<BackupException>(() => place.SyncAsync())).Kind;
    }

    private static FolderSyncOptions Small(FolderSyncOptions options) => options with { Store = options.Store with { PartSize = 5 << 20 } };

    /// <summary>What S3 asks for before it does an operation (https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html).</summary>
    private static bool Allows(string policy, RequestRecord request)
    {
        var action = request.Operation switch
        {
            "HeadBucket" or "ListObjectsV2" => "ListBucket",
            "ListObjectVersions" => "ListBucketVersions",
            "ListMultipartUploads" => "ListBucketMultipartUploads",
            "ListParts" => "ListMultipartUploadParts",
            "CreateMultipartUpload" or "UploadPart" or "CompleteMultipartUpload" => "PutObject",
            "DeleteObjects" => "DeleteObject",
            "HeadObject" => request.VersionId is null ? "GetObject" : "GetObjectVersion",
            "GetObject" when request.VersionId is not null => "GetObjectVersion",
            var operation => operation,
        };
        var resource = $"arn:aws:s3:::{request.Bucket}{(request.Operation is "DeleteObjects" ? "/" : string.IsNullOrEmpty(request.Key) ? "" : $"/{request.Key}")}";
        return Statements(policy).Any(statement => Permissions.Actions(statement).Contains($"s3:{action}", StringComparer.Ordinal) && Covers((string)statement["Resource"]!, resource));
    }

    private static bool Covers(string pattern, string resource) =>
        FileSystemName.MatchesSimpleExpression(pattern, resource, ignoreCase: false);

    private static JsonObject Read(string name) => JsonNode.Parse(File.ReadAllText(Path.Combine(Folder, name + ".json")))!.AsObject();

    private static IEnumerable<JsonObject> Statements(string name) => Read(name)["Statement"]!.AsArray().Select(statement => statement!.AsObject());
}
