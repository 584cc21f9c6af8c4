using System.Globalization;
using System.Xml.Linq;

namespace Backup.Engine.Aws.Ec2;

// Names and members are those of the AWS SDK (model of 2016-11-15): https://docs.aws.amazon.com/AWSEC2/latest/APIReference/.
// In the XML they begin with a small letter, and a list is a "…Set" of "item" elements.

internal sealed record Filter
{
    public required string Name { get; init; }

    public required IReadOnlyList<string> Values { get; init; }
}

internal sealed record DescribeInstancesRequest
{
    public IReadOnlyList<Filter>? Filters { get; init; }

    /// <summary>Not together with <see cref="MaxResults"/>.</summary>
    public IReadOnlyList<string>? InstanceIds { get; init; }

    public int? MaxResults { get; init; }

    public string? NextToken { get; init; }
}

/// <summary>One launch. It may hold several instances.</summary>
internal sealed record Reservation
{
    public string? ReservationId { get; init; }

    public string? OwnerId { get; init; }

    public IReadOnlyList<Instance> Instances { get; init; } = [];
}

internal sealed record Instance
{
    public string? InstanceId { get; init; }

    public string? InstanceType { get; init; }

    public InstanceState? State { get; init; }

    /// <summary>ebs or instance-store.</summary>
    public string? RootDeviceType { get; init; }

    public string? RootDeviceName { get; init; }

    /// <summary>spot, scheduled or capacity-block; null for an ordinary one.</summary>
    public string? InstanceLifecycle { get; init; }

    public string? SpotInstanceRequestId { get; init; }

    /// <summary>Windows, or null.</summary>
    public string? Platform { get; init; }

    public string? PlatformDetails { get; init; }

    public DateTimeOffset? LaunchTime { get; init; }

    public string? VpcId { get; init; }

    public string? SubnetId { get; init; }

    public string? PrivateIpAddress { get; init; }

    public string? PublicIpAddress { get; init; }

    public string? StateTransitionReason { get; init; }

    public IReadOnlyList<Tag> Tags { get; init; } = [];

    public IReadOnlyList<InstanceBlockDeviceMapping> BlockDeviceMappings { get; init; } = [];
}

internal sealed record InstanceState
{
    public int? Code { get; init; }

    /// <summary>pending, running, shutting-down, terminated, stopping or stopped.</summary>
    public string? Name { get; init; }
}

internal sealed record Tag
{
    public string? Key { get; init; }

    public string? Value { get; init; }
}

internal sealed record InstanceBlockDeviceMapping
{
    public string? DeviceName { get; init; }

    public string? VolumeId { get; init; }
}

internal sealed record InstanceStateChange
{
    public string? InstanceId { get; init; }

    public InstanceState? CurrentState { get; init; }

    public InstanceState? PreviousState { get; init; }
}

internal sealed record StopInstancesRequest
{
    public required IReadOnlyList<string> InstanceIds { get; init; }

    public bool? Hibernate { get; init; }

    public bool? Force { get; init; }

    public bool? SkipOsShutdown { get; init; }

    /// <summary>Only asks whether it would be allowed: the answer is an error, <c>DryRunOperation</c> where it would.</summary>
    public bool? DryRun { get; init; }
}

internal sealed record StartInstancesRequest
{
    public required IReadOnlyList<string> InstanceIds { get; init; }

    /// <summary>As for <see cref="StopInstancesRequest.DryRun"/>.</summary>
    public bool? DryRun { get; init; }
}

internal sealed record DescribeInstanceAttributeRequest
{
    public required string InstanceId { get; init; }

    /// <summary><c>disableApiStop</c>, <c>disableApiTermination</c>, <c>instanceInitiatedShutdownBehavior</c> …</summary>
    public required string Attribute { get; init; }
}

internal sealed record DescribeInstanceAttributeResponse
{
    public string? InstanceId { get; init; }

    /// <summary>The attribute that was asked for, as text.</summary>
    public string? Value { get; init; }
}

/// <summary>Reads the XML of the answers.</summary>
internal static class Ec2Xml
{
    public static Reservation Reservation(XElement e) => new()
    {
        ReservationId = e.Text("reservationId"),
        OwnerId = e.Text("ownerId"),
        Instances = [.. e.Items("instancesSet").Select(Instance)],
    };

    public static InstanceStateChange StateChange(XElement e) => new()
    {
        InstanceId = e.Text("instanceId"),
        CurrentState = State(e.Child("currentState")),
        PreviousState = State(e.Child("previousState")),
    };

    private static Instance Instance(XElement e) => new()
    {
        InstanceId = e.Text("instanceId"),
        InstanceType = e.Text("instanceType"),
        State = State(e.Child("instanceState")),
        RootDeviceType = e.Text("rootDeviceType"),
        RootDeviceName = e.Text("rootDeviceName"),
        InstanceLifecycle = e.Text("instanceLifecycle"),
        SpotInstanceRequestId = e.Text("spotInstanceRequestId"),
        Platform = e.Text("platform"),
        PlatformDetails = e.Text("platformDetails"),
        LaunchTime = DateTimeOffset.TryParse(e.Text("launchTime"), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null,
        VpcId = e.Text("vpcId"),
        SubnetId = e.Text("subnetId"),
        PrivateIpAddress = e.Text("privateIpAddress"),
        PublicIpAddress = e.Text("ipAddress"),
        StateTransitionReason = e.Text("reason"),
        Tags = [.. e.Items("tagSet").Select(tag => new Tag { Key = tag.Text("key"), Value = tag.Text("value") ?? "" })],
        BlockDeviceMappings = [.. e.Items("blockDeviceMapping").Select(map => new InstanceBlockDeviceMapping { DeviceName = map.Text("deviceName"), VolumeId = map.Child("ebs")?.Text("volumeId") })],
    };

    // The high byte of the code is for EC2's own use.
    private static InstanceState? State(XElement? e) => e is null ? null : new()
    {
        Code = int.TryParse(e.Text("code"), NumberStyles.Integer, CultureInfo.InvariantCulture, out var code) ? code & 0xFF : null,
        Name = e.Text("name"),
    };
}

/// <summary>Children by their local name: the namespace carries the API's version.</summary>
internal static class XElementReading
{
    public static XElement? Child(this XElement e, string name) => e.Elements().FirstOrDefault(child => child.Name.LocalName == name);

    public static string? Text(this XElement e, string name) => e.Child(name)?.Value is { Length: > 0 } text ? text : null;

    public static IEnumerable<XElement> Items(this XElement e, string name) => e.Child(name)?.Elements() ?? [];
}
