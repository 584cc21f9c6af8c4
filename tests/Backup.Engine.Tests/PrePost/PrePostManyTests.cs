using System.Globalization;
using System.Runtime.Versioning;
using Backup.Engine.Tests.Fixtures;
using Backup.TestServers.PrePost;

namespace Backup.Engine.Tests.PrePost;

/// <summary>As many instances as a run may have, in a process of its own.</summary>
[SupportedOSPlatform("linux")]
public sealed class PrePostManyTests
{
    private const int Instances = 50;
    private const int MaxKilobytes = 200 * 1024;

    [Fact]
    public async Task Fifty_instances_side_by_side_stay_below_200_MB_and_below_the_rates()
    {
        await using var fleet = await Fleet.StartAsync();
        using var store = new TemporaryDirectory();
        for (var i = 0; i < Instances; i++)
        {
            var instance = fleet.Add();
            (instance.StopTime, instance.StartTime, instance.AgentTime) = (TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));
        }

        using var child = PrePostChild.Start(new(fleet.Endpoint, null, store.Path, "true"));
        var output = await child.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await child.WaitForExitAsync(TestContext.Current.CancellationToken);
        child.ExitCode.ShouldBe(0, output);

        fleet.Instances.Values.ShouldAllBe(i => i.State == "running" && fleet.Read(i, "log") == "pre\npost\n");
        fleet.Jobs.Select(j => j.InstanceId).Distinct(StringComparer.Ordinal).Count().ShouldBe(Instances);
        fleet.Jobs.Count.ShouldBe(Instances);
        fleet.Violations.ShouldBeEmpty();
        // https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html: what the buckets refill with.
        fleet.BusiestSecond("DescribeInstances").ShouldBeLessThanOrEqualTo(20);
        fleet.BusiestSecond("StopInstances").ShouldBeLessThanOrEqualTo(5);
        fleet.BusiestSecond("StartInstances").ShouldBeLessThanOrEqualTo(5);
        foreach (var operation in fleet.Calls.Select(c => c.Operation).Distinct(StringComparer.Ordinal))
            TestContext.Current.SendDiagnosticMessage($"{operation}: {fleet.Calls.Count(c => c.Operation == operation)} calls, {fleet.BusiestSecond(operation)} in the busiest second.");
        var peak = int.Parse(output.Split('\n').Single(line => line.StartsWith("VmHWM:", StringComparison.Ordinal)).Split(':')[1].Replace("kB", "", StringComparison.Ordinal), CultureInfo.InvariantCulture);
        TestContext.Current.SendDiagnosticMessage($"Peak: {peak / 1024} MiB.");
        peak.ShouldBeLessThan(MaxKilobytes);
    }
}
