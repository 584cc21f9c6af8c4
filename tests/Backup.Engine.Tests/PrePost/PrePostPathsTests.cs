using System.Net.Http.Headers;
using Backup.Engine.PrePost;
using Backup.Engine.Tests.Fixtures;
using Backup.TestServers.PrePost;

namespace Backup.Engine.Tests.PrePost;

/// <summary>
/// The sample's eight ways through its state machine: with and without a pre-script, a stop and a post-script. Its own document, instances by tag,
/// and scripts that the agent fetches from moto_server.
/// </summary>
public sealed class PrePostPathsTests(MotoServer moto)
{
    [Theory]
    [InlineData(true, true, true)]
    [InlineData(true, true, false)]
    [InlineData(true, false, true)]
    [InlineData(true, false, false)]
    [InlineData(false, true, true)]
    [InlineData(false, true, false)]
    [InlineData(false, false, true)]
    [InlineData(false, false, false)]
    public async Task A_way_through_the_sample(bool pre, bool stop, bool post)
    {
        await using var place = await PrePostPlace.CreateAsync();
        place.Fleet.S3 = await moto.EndpointAsync();
        await UploadAsync(place.Fleet.S3, "pre");
        await UploadAsync(place.Fleet.S3, "post");
        var (one, two) = (place.Fleet.Add(), place.Fleet.Add());
        var document = SampleDocument.Create();
        document["StartStopEC2Required"] = stop;
        if (!pre)
            document["RemoteRunCommandDetails"]!.AsObject().Remove("PreBackupScriptDetails");
        if (!post)
            document["RemoteRunCommandDetails"]!.AsObject().Remove("PostBackupScriptDetails");
        var options = PrePostDocument.Apply(document.ToJsonString(), place.Options() with { PreScript = null, PostScript = null, StopInstance = false });

        var results = await place.RunAsync(options);

        results.Select(r => r.InstanceId).ShouldBe([one.Id, two.Id], ignoreOrder: true);
        foreach (var (result, instance) in results.Select(r => (r, place.Fleet.Instances[r.InstanceId])))
        {
            result.ShouldSatisfyAllConditions(
                r => r.Outcome.ShouldBe(Outcome.Completed, r.Reason),
                r => (r.PreScript?.Succeeded).ShouldBe(pre ? true : null),
                r => (r.PostScript?.Succeeded).ShouldBe(post ? true : null),
                r => (r.Downtime is not null).ShouldBe(stop));
            place.Log(instance).ShouldBe(string.Join(' ', new[] { pre ? "pre" : null, post ? "post" : null }.OfType<string>()));
            instance.Changes.ShouldBe(stop ? ["stop", "start"] : []);
            instance.State.ShouldBe("running");
            var job = place.Fleet.Jobs.Where(j => j.InstanceId == instance.Id).ShouldHaveSingleItem();
            job.InstanceState.ShouldBe(stop ? "stopped" : "running");
            string[] expected = [.. pre ? ["SendCommand"] : Array.Empty<string>(), .. stop ? ["StopInstances"] : Array.Empty<string>(), "StartBackupJob", .. stop ? ["StartInstances"] : Array.Empty<string>(), .. post ? ["SendCommand"] : Array.Empty<string>()];
            place.Fleet.Changes.Where(c => c.InstanceId == instance.Id).Select(c => c.Operation).ShouldBe(expected);
        }

        place.Fleet.Violations.ShouldBeEmpty();
    }

    private static async Task UploadAsync(Uri s3, string word)
    {
        using var client = new HttpClient { BaseAddress = s3 };
        // What moto takes for a signature: it verifies none.
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("AWS4-HMAC-SHA256", "Credential=test/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0");
        using var bucket = await client.PutAsync(new Uri($"/{SampleDocument.Bucket}", UriKind.Relative), null);
        using var put = await client.PutAsync(new Uri($"/{SampleDocument.Bucket}/scripts/{word}-script.sh", UriKind.Relative), new StringContent($"#!/bin/bash\necho {word} >> \"$FLEET_FOLDER/log\"\n"));
        put.IsSuccessStatusCode.ShouldBeTrue(await put.Content.ReadAsStringAsync());
        using var acl = await client.PutAsync(new Uri($"/{SampleDocument.Bucket}/scripts/{word}-script.sh?acl", UriKind.Relative), new StringContent("") { Headers = { { "x-amz-acl", "public-read" } } });
    }
}
