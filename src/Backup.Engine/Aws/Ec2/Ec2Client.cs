using System.Xml.Linq;
using Backup.Engine.Aws.Api;

namespace Backup.Engine.Aws.Ec2;

/// <summary>Amazon EC2: the operations that the module uses, named as the AWS SDK names them.</summary>
internal sealed class Ec2Client : IDisposable
{
    /// <summary>The service.</summary>
    public static AwsService Service { get; } = new("EC2", "ec2", "2016-11-15");

    private readonly AwsApiClient _api;

    /// <summary>Creates the client; nothing is contacted yet.</summary>
    public Ec2Client(AwsClientOptions options) => _api = AwsApiClient.Create(Service, options);

    /// <summary>The region that requests are signed for.</summary>
    public string Region => _api.Region;

    /// <summary>Instances, by the launches they came from. Terminated ones are listed for about an hour.</summary>
    public IAsyncEnumerable<Reservation> DescribeInstancesAsync(DescribeInstancesRequest request, CancellationToken cancellationToken = default) => Pages(
        "DescribeInstances",
        token => Filtered(new QueryForm().With("InstanceId", request.InstanceIds).With("MaxResults", request.MaxResults).With("NextToken", token ?? request.NextToken), request.Filters),
        "reservationSet",
        Ec2Xml.Reservation,
        cancellationToken);

    /// <summary>One attribute of an instance.</summary>
    public Task<DescribeInstanceAttributeResponse> DescribeInstanceAttributeAsync(DescribeInstanceAttributeRequest request, CancellationToken cancellationToken = default) => _api.QueryAsync(
        "DescribeInstanceAttribute",
        new QueryForm().With("InstanceId", request.InstanceId).With("Attribute", request.Attribute),
        e => new DescribeInstanceAttributeResponse { InstanceId = e.Text("instanceId"), Value = e.Child(request.Attribute)?.Text("value") },
        cancellationToken);

    /// <summary>Stops instances: what their states were and are.</summary>
    public Task<IReadOnlyList<InstanceStateChange>> StopInstancesAsync(StopInstancesRequest request, CancellationToken cancellationToken = default) => _api.QueryAsync(
        "StopInstances",
        new QueryForm().With("InstanceId", request.InstanceIds).With("Hibernate", request.Hibernate).With("Force", request.Force).With("SkipOsShutdown", request.SkipOsShutdown).With("DryRun", request.DryRun),
        StateChanges,
        cancellationToken);

    /// <summary>Starts instances: what their states were and are.</summary>
    public Task<IReadOnlyList<InstanceStateChange>> StartInstancesAsync(StartInstancesRequest request, CancellationToken cancellationToken = default) => _api.QueryAsync(
        "StartInstances",
        new QueryForm().With("InstanceId", request.InstanceIds).With("DryRun", request.DryRun),
        StateChanges,
        cancellationToken);

    /// <inheritdoc/>
    public void Dispose() => _api.Dispose();

    private static IReadOnlyList<InstanceStateChange> StateChanges(XElement e) => [.. e.Items("instancesSet").Select(Ec2Xml.StateChange)];

    private static QueryForm Filtered(QueryForm form, IReadOnlyList<Filter>? filters)
    {
        for (var i = 0; i < (filters?.Count ?? 0); i++)
            form.With($"Filter.{i + 1}.Name", filters![i].Name).With($"Filter.{i + 1}.Value", filters[i].Values);
        return form;
    }

    private IAsyncEnumerable<T> Pages<T>(string action, Func<string?, QueryForm> form, string set, Func<XElement, T> read, CancellationToken cancellationToken) => Paging.ReadAsync(
        (token, stop) => _api.QueryAsync(action, form(token), e => (Items: (IReadOnlyList<T>)[.. e.Items(set).Select(read)], Next: e.Text("nextToken")), stop),
        page => page.Items,
        page => page.Next,
        cancellationToken);
}
