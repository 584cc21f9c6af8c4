using Backup.Engine.Atlassian;
using Backup.TestServers.Atlassian;
using Backup.TestServers.Atlassian.Exports;

namespace Backup.Engine.Tests.Atlassian;

/// <summary>What can go wrong on the way from Atlassian. Each export arrives byte for byte, or the run has failed.</summary>
public sealed class ExportDownloadTests
{
    private static readonly DownloadFault Cut = new() { CutAfter = 300_000 };

    public static TheoryData<string, DownloadFault[]> Survived => new()
    {
        { "five cuts", [Cut, Cut, Cut, new() { CutAfter = 10 }, new() { CutAfter = 1 }] },
        { "cuts without a byte", [Cut, new() { CutAfter = 0 }, new() { CutAfter = 0 }, new() { CutAfter = 0 }] },
        { "an address that had expired at once", [new() { Expired = true }] },
        { "addresses that had expired on the way", [Cut, new() { Expired = true }, Cut, new() { Expired = true }, new() { Expired = true }] },
        { "a media server in trouble", [new() { MediaStatus = 503 }, Cut, new() { MediaStatus = 500 }, new() { MediaStatus = 404 }] },
        { "a site that forgets the session", [Cut, new() { SiteStatus = 401 }, new() { SiteStatus = 403 }] },
        { "a sign-in page on the way", [Cut, new() { LoginPageAs = "text/html" }] },
        { "a range that is ignored", [Cut, new() { IgnoresRange = true }] },
        { "a cut while the ignored range passes by", [Cut, new() { IgnoresRange = true, CutAfter = 100_000 }, new() { IgnoresRange = true }] },
        { "416 without a length", [Cut, new() { NotSatisfiable = true, TellsLength = false }] },
    };

    [Theory]
    [MemberData(nameof(Survived))]
    public async Task It_arrives_whole_after(string what, DownloadFault[] faults)
    {
        await using var place = await SitePlace.StartAsync(new() { Polls = 0 });
        place.Server.AddFaults(faults);
        var result = await place.RunAsync();
        result.Status.ShouldBe(SiteStatus.Completed, $"{what}: {result.Reason}");
        // A cut that took the headers with it is no resumption, but one more request.
        result.Resumed.ShouldBeLessThanOrEqualTo(faults.Length, what);
        place.Server.Requests.Count(request => request.Target.StartsWith("/wiki/download/", StringComparison.Ordinal)).ShouldBe(1 + faults.Count(fault => !fault.IgnoresRange || fault.CutAfter is not null), what);
        result.Sha256.ShouldBe(await place.Server.Generate(ExportProduct.Confluence).Sha256Async(TestContext.Current.CancellationToken));
        (await place.HashAsync(result.Key!)).Length.ShouldBe(place.Server.Options.ExportSize);
        place.Server.Requests.Where(request => request.Server == "media").ShouldAllBe(request => !request.HasAuthorization);
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public async Task It_needs_neither_an_entity_tag_nor_a_length(bool tag, bool length)
    {
        await using var place = await SitePlace.StartAsync(new() { Polls = 0, HasETag = tag, HasLength = length });
        place.Server.AddFaults(Cut, Cut);
        var result = await place.RunAsync();
        result.Status.ShouldBe(SiteStatus.Completed, result.Reason);
        result.Sha256.ShouldBe(await place.Server.Generate(ExportProduct.Confluence).Sha256Async(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task What_is_missing_is_asked_for_and_of_the_same_file_only()
    {
        await using var place = await SitePlace.StartAsync(new() { Polls = 0, RedirectsDownloads = false });
        place.Server.AddFaults(Cut);
        (await place.RunAsync()).Status.ShouldBe(SiteStatus.Completed);
        var downloads = place.Server.Requests.Where(request => request.Target.StartsWith("/wiki/download/", StringComparison.Ordinal)).ToList();
        downloads.Count.ShouldBe(2);
        downloads[0].Range.ShouldBeEmpty();
        // What was under way when the connection broke may be lost, and is asked for again; what had come is not.
        downloads[1].Range.ShouldMatch("^bytes=[1-9][0-9]*-$");
        downloads[1].IfRange.ShouldBe($"\"{place.Server.Confluence!.Id:N}\"");
        downloads.ShouldAllBe(request => request.HasAuthorization);
    }

    [Fact]
    public async Task A_connection_that_says_nothing_more_is_given_up()
    {
        await using var place = await SitePlace.StartAsync(new() { Polls = 0 });
        place.Server.AddFaults(new DownloadFault { HangAfter = 200_000 });
        var result = await place.RunAsync(place.Options() with { StallTimeout = TimeSpan.FromMilliseconds(500) });
        result.Status.ShouldBe(SiteStatus.Completed);
        result.Resumed.ShouldBe(1);
    }

    [Theory]
    [InlineData("text/html")]
    [InlineData("application/zip")]
    public async Task A_sign_in_page_is_no_export(string type)
    {
        await using var place = await SitePlace.StartAsync(new() { Polls = 0 });
        place.Server.AddFaults(new DownloadFault { LoginPageAs = type });
        var result = await place.RunAsync();
        result.Status.ShouldBe(SiteStatus.AuthenticationFailed);
        result.Reason.ShouldNotBeNull().ShouldContain("page for people");
        (await place.RunsAsync()).ShouldBeEmpty();
    }

    [Theory]
    [InlineData(401, SiteStatus.AuthenticationFailed, FailureKind.AuthenticationFailed)]
    [InlineData(403, SiteStatus.PermissionDenied, FailureKind.PermissionDenied)]
    [InlineData(404, SiteStatus.Failed, FailureKind.NotFound)]
    public async Task A_refusal_of_the_site_itself_is_believed_at_once(int status, SiteStatus expected, FailureKind kind)
    {
        await using var place = await SitePlace.StartAsync(new() { Polls = 0 });
        place.Server.AddFaults(new DownloadFault { SiteStatus = status });
        var result = await place.RunAsync();
        (result.Status, result.Kind).ShouldBe((expected, kind));
        place.Server.Requests.Count(request => request.Target.StartsWith("/wiki/download/", StringComparison.Ordinal)).ShouldBe(1);
        (await place.RunsAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task Another_file_in_the_same_place_is_not_mixed_with_it()
    {
        await using var place = await SitePlace.StartAsync(new() { Polls = 0 });
        place.Server.AddFaults(Cut, new DownloadFault { ETag = "another" });
        var result = await place.RunAsync();
        (result.Status, result.Kind).ShouldBe((SiteStatus.Failed, FailureKind.ChangedWhileRead));
        (await place.RunsAsync()).ShouldBeEmpty();
        (await place.KeysAsync()).ShouldBeEmpty();
    }

    [Theory]
    [InlineData(-1000, FailureKind.Corrupt)]
    [InlineData(1000, FailureKind.LengthMismatch)]
    public async Task A_length_that_is_wrong_is_a_failure(long delta, FailureKind kind)
    {
        await using var place = await SitePlace.StartAsync(new() { Polls = 0 });
        place.Server.AddFaults(new DownloadFault { LengthDelta = delta });
        var result = await place.RunAsync();
        (result.Status, result.Kind).ShouldBe((SiteStatus.Failed, kind), result.Reason);
        (await place.RunsAsync()).ShouldAllBe(run => run.Outcome == Outcome.Failed);
        (await place.KeysAsync()).ShouldNotContain(key => key.StartsWith("confluence/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Cuts_that_let_nothing_through_end_some_time()
    {
        await using var place = await SitePlace.StartAsync(new() { Polls = 0 });
        place.Server.AddFaults(Cut);
        place.Server.AddFaults([.. Enumerable.Repeat(new DownloadFault { CutAfter = 0 }, 50)]);
        var result = await place.RunAsync();
        (result.Status, result.Kind).ShouldBe((SiteStatus.Failed, FailureKind.Unavailable));
        result.Reason.ShouldNotBeNull().ShouldContain("does not get beyond byte");
        (await place.KeysAsync()).ShouldNotContain(key => key.StartsWith("confluence/", StringComparison.Ordinal));
    }
}
