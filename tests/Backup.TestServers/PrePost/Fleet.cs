using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using Backup.TestServers.Aws;

namespace Backup.TestServers.PrePost;

/// <summary>
/// EC2, Systems Manager, AWS Backup and IAM, as far as backups with scripts need them: instances that change state by the clock, an agent
/// that runs scripts in bash, and jobs that go through scripted states. Shapes: reference/prepost-backup.md, section 2.3 [D].
/// </summary>
public sealed partial class Fleet : IAsyncDisposable
{
    public const string Account = "123456789012";
    public const string Region = "eu-central-1";

    private readonly ConcurrentQueue<FleetCall> _calls = new();
    private readonly ConcurrentQueue<string> _violations = new();
    private readonly Ec2Service _ec2;
    private readonly SsmService _ssm;
    private readonly BackupService _backup;
    private readonly HttpClient _http = new();
    private AwsServer? _server;

    private Fleet() => (_ec2, _ssm, _backup) = (new(this), new(this), new(this));

    public Uri Endpoint => _server!.Endpoint;

    /// <summary>What the instances keep: a folder each, named by their ids.</summary>
    public string Folder { get; } = Directory.CreateTempSubdirectory("fleet-").FullName;

    public ConcurrentDictionary<string, FleetInstance> Instances { get; } = new(StringComparer.Ordinal);

    public ConcurrentQueue<FleetJob> Jobs { get; } = new();

    public ConcurrentQueue<FleetInvocation> Invocations { get; } = new();

    public HashSet<string> Vaults { get; } = ["vault"];

    /// <summary>The retention that a lock holds the vaults to, in days; null without a lock.</summary>
    public (int? Min, int? Max)? VaultLock { get; set; }

    /// <summary>Roles, with their paths.</summary>
    public HashSet<string> Roles { get; } = ["backup"];

    /// <summary>Documents beyond AWS's own, and the bash that they are.</summary>
    public Dictionary<string, string> Documents { get; } = new(StringComparer.Ordinal);

    public List<FleetFault> Faults { get; } = [];

    /// <summary>The most items of a page, whatever is asked for.</summary>
    public int PageSize { get; set; } = 1000;

    /// <summary>Where objects of S3 are really fetched from: moto_server, or a strict S3.</summary>
    public Uri? S3 { get; set; }

    /// <summary>The states of the next jobs.</summary>
    public Func<FleetInstance, IReadOnlyList<JobState>> JobStates { get; set; } = _ =>
        [new("CREATED"), new("RUNNING", TimeSpan.FromMilliseconds(50), HasRecoveryPoint: true), new("COMPLETED", HasRecoveryPoint: true, Category: "SUCCESS")];

    /// <summary>What becomes of the next commands.</summary>
    public Func<FleetInstance, string, InvocationScript> CommandScript { get; set; } = (_, _) => new();

    /// <summary>Called before a changing call is done; true cuts it off, undone.</summary>
    public Func<FleetCall, bool>? Cut { get; set; }

    public IReadOnlyList<FleetCall> Calls => [.. _calls];

    public IEnumerable<FleetCall> Changes => _calls.Where(call => call.IsChanging);

    /// <summary>What must never happen and did: an instance stopped while its script ran.</summary>
    public IReadOnlyList<string> Violations => [.. _violations];

    public static async Task<Fleet> StartAsync(int port = 0)
    {
        var fleet = new Fleet();
        fleet._server = await AwsServer.StartAsync(fleet.Answer, port);
        return fleet;
    }

    public FleetInstance Add(string? id = null, string tag = "backup-job", string value = "true", Func<FleetInstance, FleetInstance>? with = null) =>
        Add(new FleetInstance { Id = id ?? NewId(), Tags = { [tag] = value, ["Name"] = "test" } }, with);

    public FleetInstance Add(FleetInstance instance, Func<FleetInstance, FleetInstance>? with = null)
    {
        instance = with?.Invoke(instance) ?? instance;
        Directory.CreateDirectory(Path.Combine(Folder, instance.Id));
        return Instances[instance.Id] = instance;
    }

    public static string NewId() => $"i-{Guid.NewGuid():N}"[..19];

    /// <summary>What an instance's scripts wrote into a file of its folder, or nothing.</summary>
    public string Read(FleetInstance instance, string file)
    {
        var path = Path.Combine(Folder, instance.Id, file);
        return File.Exists(path) ? File.ReadAllText(path) : "";
    }

    /// <summary>The most requests of an operation that came within a second.</summary>
    public int BusiestSecond(string operation)
    {
        var times = _calls.Where(call => call.Operation == operation).Select(call => call.Time).Order().ToList();
        var most = 0;
        for (int first = 0, last = 0; last < times.Count; last++)
        {
            while (times[last] - times[first] >= TimeSpan.FromSeconds(1))
                first++;
            most = Math.Max(most, last - first + 1);
        }

        return most;
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
            await _server.DisposeAsync();
        foreach (var invocation in Invocations)
            invocation.Dispose();
        _http.Dispose();
        try
        {
            Directory.Delete(Folder, recursive: true);
        }
        catch (IOException)
        {
            // A script that was killed a moment ago.
        }
    }

    internal void Violate(string what) => _violations.Enqueue(what);

    /// <summary>
    /// The ending of what was downloaded. The shell makes the file itself of it: what this process has written may be open in a process that it
    /// started at that moment, and is then too busy to be run.
    /// </summary>
    internal const string Downloaded = ".downloaded";

    /// <summary>Fetches what the agent would fetch from S3; null, or why not.</summary>
    internal async Task<string?> DownloadAsync(Uri source, string folder, CancellationToken cancellationToken)
    {
        // https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html: the bucket is in the host's name, or in the path.
        var bucket = Bucket().Match(source.Host);
        if (!bucket.Success || S3 is null)
            return $"failed to download {source}: no such bucket";
        var path = bucket.Groups["bucket"].Success ? $"/{bucket.Groups["bucket"].Value}{source.AbsolutePath}" : source.AbsolutePath;
        using var answer = await _http.GetAsync(new Uri(S3, path), cancellationToken);
        if (!answer.IsSuccessStatusCode)
            return $"failed to download {source}: {(int)answer.StatusCode}";
        await File.WriteAllBytesAsync(Path.Combine(folder, Path.GetFileName(source.AbsolutePath) + Downloaded), await answer.Content.ReadAsByteArrayAsync(cancellationToken), cancellationToken);
        return null;
    }

    [GeneratedRegex(@"^((?<bucket>.+)\.)?s3[.-]", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Bucket();

    private AwsAnswer Answer(AwsRequest request)
    {
        var service = request.Service ?? "";
        var operation = service switch { "backup" => BackupService.Operation(request), _ => request.Operation };
        var call = new FleetCall(operation, InstanceOf(request), DateTime.UtcNow);
        if (call.IsChanging && Cut?.Invoke(call) == true)
            return new() { Reset = true };
        _calls.Enqueue(call);
        var fault = Faults.FirstOrDefault(f => f.Takes(operation));
        if (fault is { IsDone: false })
            return fault.Answer;
        var answer = service switch
        {
            "ec2" => _ec2.Answer(request),
            "ssm" => _ssm.Answer(request),
            "backup" => _backup.Answer(request, operation),
            "iam" => IamAnswer(request),
            _ => AwsAnswer.Error(400, "UnknownOperationException", $"No such service here: {service}"),
        };
        return fault?.Answer ?? answer;
    }

    private static string? InstanceOf(AwsRequest request)
    {
        var match = AnyInstance().Match(Uri.UnescapeDataString(request.Text + request.RawQuery));
        return match.Success ? match.Value : null;
    }

    [GeneratedRegex(@"i-[0-9a-f]{17}|i-[0-9a-f]{8}", RegexOptions.None, 1000)]
    private static partial Regex AnyInstance();

    // https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRole.html
    private AwsAnswer IamAnswer(AwsRequest request)
    {
        var name = request.Form["RoleName"];
        // Roles are asked for by their name alone; the ARN has the path.
        return Roles.FirstOrDefault(role => role.Split('/')[^1] == name) is { } role
            ? AwsAnswer.Xml($"""<GetRoleResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><GetRoleResult><Role><RoleName>{name}</RoleName><Arn>arn:aws:iam::{Account}:role/{role}</Arn></Role></GetRoleResult></GetRoleResponse>""")
            : AwsAnswer.Xml($"""<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><Error><Type>Sender</Type><Code>NoSuchEntity</Code><Message>The role with name {name} cannot be found.</Message></Error></ErrorResponse>""", 404);
    }
}
