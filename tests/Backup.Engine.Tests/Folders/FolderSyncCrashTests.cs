using System.Runtime.Versioning;
using Backup.Engine.Stores;
using Backup.Engine.Tests.Files;
using Backup.Engine.Tests.Stores.S3;
using Backup.TestServers.S3;

namespace Backup.Engine.Tests.Folders;

/// <summary>
/// Kill -9. What is promised: nothing the store holds is torn, nothing is lost, and every file is stored exactly once:
/// what a killed run had stored before its cache could say so is taken over.
/// </summary>
[SupportedOSPlatform("linux")]
public sealed class FolderSyncCrashTests(StrictS3Fixture fixture) : IClassFixture<StrictS3Fixture>
{
    private const int Files = 300;
    private const int Kills = 8;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Killed_at_random_moments_a_run_loses_nothing_and_tears_nothing()
    {
        var location = StoreLocation.ForBucket(StrictS3Fixture.Bucket, $"crash-{Guid.NewGuid():n}");
        using var place = new FolderPlace(location, fixture.Options);
        for (var i = 0; i < Files; i++)
            place.Write($"d{i % 7}/f{i:000}", $"content {i} {new string('x', i * 40)}");
        fixture.Server.Faults.Add(new Fault { Match = request => request.Method == "PUT", Action = FaultAction.Delay(TimeSpan.FromMilliseconds(30)), Times = int.MaxValue });

        var random = new Random(20261121);
        var killed = 0;
        for (var round = 0; round < Kills; round++)
        {
            // From before the first request to beyond the last, in terms of what the store has seen: no clock decides.
            var moment = random.Next(1, Files / Kills * 2);
            fixture.Server.ClearRequests();
            using var child = ChildProcess.StartSync(place.Source, location.ToString(), place.Cache, fixture.Server.Endpoint);
            var output = child.StandardOutput.ReadToEndAsync(Token);
            while (!child.HasExited && fixture.Server.Requests.Count(request => request.Method == "PUT") < moment)
                await Task.Delay(1, Token);
            if (!child.HasExited)
            {
                child.Kill();
                killed++;
            }

            await child.WaitForExitAsync(Token);
            await output;
            foreach (var stored in fixture.Server.State.Objects(StrictS3Fixture.Bucket).Where(o => o.Key.StartsWith(location.Prefix + place.Source[1..], StringComparison.Ordinal)))
                stored.Size.ShouldBe(new FileInfo(stored.Key[(location.Prefix.Length - 1)..]).Length, stored.Key);
        }

        killed.ShouldBeGreaterThan(Kills / 2);
        fixture.Server.Faults.Clear();
        (await place.SyncAsync()).Outcome.ShouldBeOneOf(Outcome.Completed, Outcome.Unchanged);
        var versions = fixture.Server.State.Versions(StrictS3Fixture.Bucket).Where(v => v.Key.StartsWith(location.Prefix + place.Source[1..], StringComparison.Ordinal)).ToList();
        versions.ShouldNotContain(version => version.IsDeleteMarker);
        versions.Count(version => version.IsLatest).ShouldBe(Files);
        fixture.Server.State.Uploads(StrictS3Fixture.Bucket).ShouldBeEmpty();
        TestContext.Current.SendDiagnosticMessage($"{killed} kills, {versions.Count - Files} of {Files} files sent again.");
        versions.Count.ShouldBe(Files, "What a killed run had stored is taken over, not sent again.");
        (await place.VerifyAsync(deep: true)).ShouldSatisfyAllConditions(v => v.Passed.ShouldBeTrue(), v => v.Checked.ShouldBe(Files));
        await place.ShouldComeBackAsync();
        await FolderPlace.SettleAsync();
        (await place.SyncAsync()).Outcome.ShouldBe(Outcome.Unchanged);
    }

    [Fact]
    public async Task Killed_in_the_middle_of_a_large_file_the_upload_goes_on_where_it_was()
    {
        const int Size = 256 << 20;
        const long Budget = 128L << 20;
        var location = StoreLocation.ForBucket(StrictS3Fixture.Bucket, $"large-{Guid.NewGuid():n}");
        using var place = new FolderPlace(location, fixture.Options);
        var data = new byte[Size];
        new Random(7).NextBytes(data);
        await File.WriteAllBytesAsync(Path.Combine(place.Source, "large"), data, Token);
        fixture.Server.ClearRequests();
        fixture.Server.Faults.Add(new Fault { Match = IsPart, Action = FaultAction.Delay(TimeSpan.FromMilliseconds(20)), Times = int.MaxValue });

        using (var child = ChildProcess.StartSync(place.Source, location.ToString(), place.Cache, fixture.Server.Endpoint))
        {
            var output = child.StandardOutput.ReadToEndAsync(Token);
            while (!child.HasExited && fixture.Server.Requests.Count(request => IsPart(request) && request.Status == 200) < 12)
                await Task.Delay(1, Token);
            child.HasExited.ShouldBeFalse("It was to be killed in the middle.");
            child.Kill();
            await child.WaitForExitAsync(Token);
            await output;
        }

        fixture.Server.State.Uploads(StrictS3Fixture.Bucket).ShouldHaveSingleItem().Parts.Count.ShouldBeGreaterThanOrEqualTo(12);
        (await place.SyncAsync()).Outcome.ShouldBe(Outcome.Completed);
        var sent = fixture.Server.Requests.Where(IsPart).Sum(request => request.BodyBytes);
        TestContext.Current.SendDiagnosticMessage($"{(sent - Size) >> 20} MiB were sent twice.");
        (sent - Size).ShouldBeLessThan(Budget);
        fixture.Server.Requests.Count(request => request.Operation == "CreateMultipartUpload").ShouldBe(1);
        fixture.Server.State.Uploads(StrictS3Fixture.Bucket).ShouldBeEmpty();
        (await fixture.Server.State.ReadAsync(StrictS3Fixture.Bucket, location.Prefix + place.Source[1..] + "/large")).AsSpan().SequenceEqual(data).ShouldBeTrue();

        static bool IsPart(RequestRecord request) => request.Operation == "UploadPart";
    }
}
