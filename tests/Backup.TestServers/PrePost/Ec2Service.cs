using System.Globalization;
using System.Net;
using System.Text;
using Backup.TestServers.Aws;

namespace Backup.TestServers.PrePost;

/// <summary>EC2's query protocol: a form in, XML out.</summary>
internal sealed class Ec2Service(Fleet fleet)
{
    public AwsAnswer Answer(AwsRequest request)
    {
        var form = request.Form;
        return request.Operation switch
        {
            "DescribeInstances" => Describe(form),
            "DescribeInstanceAttribute" => Attribute(form),
            "StopInstances" => Change(form, "StopInstances", Stop),
            "StartInstances" => Change(form, "StartInstances", Start),
            var other => Error(400, "InvalidAction", $"The action {other} is not valid for this web service."),
        };
    }

    private static AwsAnswer Error(int status, string code, string message) =>
        AwsAnswer.Xml($"<Response><Errors><Error><Code>{code}</Code><Message>{WebUtility.HtmlEncode(message)}</Message></Error></Errors><RequestID>r</RequestID></Response>", status);

    private static List<string> Ids(IReadOnlyDictionary<string, string> form) =>
        [.. form.Where(f => f.Key.StartsWith("InstanceId.", StringComparison.Ordinal)).OrderBy(f => int.Parse(f.Key[11..], CultureInfo.InvariantCulture)).Select(f => f.Value)];

    private AwsAnswer Describe(IReadOnlyDictionary<string, string> form)
    {
        var ids = Ids(form);
        if (ids.Count > 0 && form.ContainsKey("MaxResults"))
            return Error(400, "InvalidParameterCombination", "The parameter instancesSet cannot be used with the parameter maxResults");
        if (ids.Find(id => !fleet.Instances.ContainsKey(id)) is { } missing)
            return Error(400, "InvalidInstanceID.NotFound", $"The instance ID '{missing}' does not exist");
        var found = fleet.Instances.Values.Where(i => ids.Count == 0 || ids.Contains(i.Id));
        for (var n = 1; form.TryGetValue($"Filter.{n}.Name", out var name); n++)
        {
            var prefix = $"Filter.{n}.Value.";
            var values = form.Where(f => f.Key.StartsWith(prefix, StringComparison.Ordinal)).Select(f => f.Value).ToHashSet(StringComparer.Ordinal);
            found = name switch
            {
                "instance-state-name" => found.Where(i => values.Contains(i.State)),
                "instance-id" => found.Where(i => values.Contains(i.Id)),
                _ when name.StartsWith("tag:", StringComparison.Ordinal) => found.Where(i => i.Tags.TryGetValue(name[4..], out var value) && values.Contains(value)),
                _ => throw new NotSupportedException(name),
            };
        }

        var reservations = found.GroupBy(i => i.Reservation, StringComparer.Ordinal).OrderBy(g => g.Key, StringComparer.Ordinal).ToList();
        var from = form.TryGetValue("NextToken", out var token) ? int.Parse(token, CultureInfo.InvariantCulture) : 0;
        var size = Math.Min(fleet.PageSize, form.TryGetValue("MaxResults", out var max) ? int.Parse(max, CultureInfo.InvariantCulture) : int.MaxValue);
        if (ids.Count > 0)
            size = int.MaxValue;
        var xml = new StringBuilder("""<DescribeInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>r</requestId><reservationSet>""");
        foreach (var reservation in reservations.Skip(from).Take(size))
        {
            xml.Append(CultureInfo.InvariantCulture, $"<item><reservationId>{reservation.Key}</reservationId><ownerId>{Fleet.Account}</ownerId><instancesSet>");
            foreach (var instance in reservation)
                Write(xml, instance);
            xml.Append("</instancesSet></item>");
        }

        xml.Append("</reservationSet>");
        if (size < int.MaxValue && from + size < reservations.Count)
            xml.Append(CultureInfo.InvariantCulture, $"<nextToken>{from + size}</nextToken>");
        return AwsAnswer.Xml(xml.Append("</DescribeInstancesResponse>").ToString());
    }

    private static void Write(StringBuilder xml, FleetInstance i)
    {
        xml.Append(CultureInfo.InvariantCulture, $"<item><instanceId>{i.Id}</instanceId><instanceState><code>{i.StateCode}</code><name>{i.State}</name></instanceState><instanceType>t3.micro</instanceType>")
            .Append(CultureInfo.InvariantCulture, $"<launchTime>{i.LaunchTime:yyyy-MM-dd'T'HH:mm:ss.fff'Z'}</launchTime><rootDeviceType>{i.RootDeviceType}</rootDeviceType>");
        if (i.PlatformType is "Windows")
            xml.Append("<platform>windows</platform>");
        if (i.Lifecycle is { } lifecycle)
            xml.Append(CultureInfo.InvariantCulture, $"<instanceLifecycle>{lifecycle}</instanceLifecycle><spotInstanceRequestId>sir-1</spotInstanceRequestId>");
        if (i.PublicIp is { } ip)
            xml.Append(CultureInfo.InvariantCulture, $"<ipAddress>{ip}</ipAddress>");
        xml.Append("<tagSet>");
        foreach (var (key, value) in i.Tags)
            xml.Append(CultureInfo.InvariantCulture, $"<item><key>{WebUtility.HtmlEncode(key)}</key><value>{WebUtility.HtmlEncode(value)}</value></item>");
        xml.Append("</tagSet></item>");
    }

    private AwsAnswer Attribute(IReadOnlyDictionary<string, string> form)
    {
        var (id, attribute) = (form["InstanceId"], form["Attribute"]);
        return !fleet.Instances.TryGetValue(id, out var instance)
            ? Error(400, "InvalidInstanceID.NotFound", $"The instance ID '{id}' does not exist")
            : AwsAnswer.Xml($"<DescribeInstanceAttributeResponse><instanceId>{id}</instanceId><{attribute}><value>{(attribute is "disableApiStop" && instance.StopProtection ? "true" : "false")}</value></{attribute}></DescribeInstanceAttributeResponse>");
    }

    private AwsAnswer Change(IReadOnlyDictionary<string, string> form, string action, Func<FleetInstance, AwsAnswer?> change)
    {
        var xml = new StringBuilder($"""<{action}Response xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>r</requestId><instancesSet>""");
        foreach (var id in Ids(form))
        {
            if (!fleet.Instances.TryGetValue(id, out var instance))
                return Error(400, "InvalidInstanceID.NotFound", $"The instance ID '{id}' does not exist");
            var (code, name) = (instance.StateCode, instance.State);
            if (change(instance) is { } failure)
                return failure;
            xml.Append(CultureInfo.InvariantCulture, $"<item><instanceId>{id}</instanceId><currentState><code>{instance.StateCode}</code><name>{instance.State}</name></currentState><previousState><code>{code}</code><name>{name}</name></previousState></item>");
        }

        return AwsAnswer.Xml(xml.Append($"</instancesSet></{action}Response>").ToString());
    }

    private AwsAnswer? Stop(FleetInstance instance)
    {
        if (instance.StopProtection)
            return Error(400, "OperationNotPermitted", $"The instance '{instance.Id}' may not be stopped. Modify its 'disableApiStop' instance attribute and try again.");
        if (instance.RootDeviceType is not "ebs")
            return Error(400, "UnsupportedOperation", $"The instance '{instance.Id}' does not have an 'ebs' root device type and cannot be stopped.");
        if (instance.State is "terminated" or "shutting-down")
            return Error(400, "IncorrectInstanceState", $"This instance '{instance.Id}' is not in a state from which it can be stopped.");
        if (instance.State is "stopped" or "stopping")
            return null;
        foreach (var invocation in fleet.Invocations.Where(i => i.Instance == instance && i.IsRunning))
        {
            fleet.Violate($"{instance.Id} was stopped while '{invocation.Comment}' ran.");
            invocation.Cancel();
        }

        instance.Stop();
        return null;
    }

    private static AwsAnswer? Start(FleetInstance instance)
    {
        if (instance.State is "running" or "pending")
            return null;
        if (instance.State is not "stopped")
            return Error(400, "IncorrectInstanceState", $"The instance '{instance.Id}' is not in a state from which it can be started.");
        instance.Start();
        return null;
    }
}
