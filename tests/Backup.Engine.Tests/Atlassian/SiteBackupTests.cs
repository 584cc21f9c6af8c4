using Backup.Engine.Atlassian;
using Backup.Engine.Atlassian.Exports;
using Backup.Engine.Runs;
using Backup.TestServers.Atlassian;
using Backup.TestServers.Atlassian.Exports;
using Backup.Engine.Stores;
using Backup.Engine.Tests.Fixtures;

namespace Backup.Engine.Tests.Atlassian;

public sealed class SiteBackupTests
{
    [Theory]
    [InlineData(AtlassianProduct.Confluence)]
    [InlineData(AtlassianProduct.Jira)]
    public async Task An_export_is_asked_for_followed_stored_and_proven(AtlassianProduct product)
    {
        await using var place = await SitePlace.StartAsync();
        var seen = new List<BackupProgress>();
        var result = await place.RunAsync(place.Options(product), new Listener(seen));

        result.Status.ShouldBe(SiteStatus.Completed);
        result.Outcome.ShouldBe(Outcome.Completed);
        result.ExportKind.ShouldBe(product == AtlassianProduct.Jira ? ExportKind.Jira : ExportKind.ConfluenceSite);
        var expected = place.Server.Generate((ExportProduct)product);
        result.Bytes.ShouldBe(expected.Length);
        result.Entries.ShouldBe(expected.EntryCount);
        result.Entities.ShouldBe(expected.Entities.Values.Sum());
        result.Sha256.ShouldBe(await expected.Sha256Async(TestContext.Current.CancellationToken));
        (await place.HashAsync(result.Key!)).Sha256.ShouldBe(Convert.FromHexString(result.Sha256!));
        result.Key!.ShouldMatch($"^{product.ToString().ToLowerInvariant()}/127\\.0\\.0\\.1-[0-9]+/[0-9]{{8}}T[0-9]{{6}}Z/[0-9a-f-]{{36}}\\.zip$");

        var run = (await place.RunsAsync()).ShouldHaveSingleItem();
        run.RunId.ShouldBe(result.RunId);
        run.Outcome.ShouldBe(Outcome.Completed);
        run.Properties!["trigger"].ShouldBe("requested");
        run.Properties["verification"].ShouldBe("whole");
        run.Properties["entries"].ShouldBe($"{expected.EntryCount}");
        // Nothing but the export, its inventory and its manifest is left.
        (await place.KeysAsync()).Count.ShouldBe(3);
        place.Server.Requests.Count(request => request.Method == "POST").ShouldBe(1);
        place.Server.Requests.Single(request => request.Method == "POST").Body.ShouldBe("""{"cbAttachments":"true","exportToCloud":"true"}""");
        place.Server.Requests.Where(request => request.Server == "media").ShouldAllBe(request => !request.HasAuthorization);
        seen.ShouldContain(progress => progress.ItemsTotal == 100 && progress.ItemsDone > 0);
        seen.ShouldContain(progress => progress.BytesDone == expected.Length && progress.BytesTotal == expected.Length);
    }

    [Fact]
    public async Task Without_attachments_is_said_so()
    {
        await using var place = await SitePlace.StartAsync();
        (await place.RunAsync(place.Options() with { IncludeAttachments = false })).Status.ShouldBe(SiteStatus.Completed);
        place.Server.Requests.Single(request => request.Method == "POST").Body.ShouldContain("\"cbAttachments\":\"false\"");
    }

    [Theory]
    [InlineData(FileNameShape.Filestore, "{0}%")]
    [InlineData(FileNameShape.Bare, "Estimated progress: {0} %")]
    [InlineData(FileNameShape.Legacy, "1{0}%")]
    public async Task Confluence_may_name_the_file_and_the_percentage_as_it_likes(FileNameShape shape, string percentage)
    {
        await using var place = await SitePlace.StartAsync(new() { FileName = shape, Percentage = percentage });
        (await place.RunAsync()).Status.ShouldBe(SiteStatus.Completed);
    }

    [Theory]
    [InlineData(ResultShape.SlashQuery)]
    [InlineData(ResultShape.Query)]
    [InlineData(ResultShape.Binary)]
    [InlineData(ResultShape.JsonString)]
    public async Task Jira_may_name_the_file_as_it_likes(ResultShape shape)
    {
        await using var place = await SitePlace.StartAsync(new() { Result = shape });
        (await place.RunAsync(place.Options(AtlassianProduct.Jira))).Status.ShouldBe(SiteStatus.Completed);
    }

    [Fact]
    public async Task A_success_of_Jira_that_names_no_file_is_a_failure()
    {
        await using var place = await SitePlace.StartAsync(new() { Result = ResultShape.NullMedia });
        var result = await place.RunAsync(place.Options(AtlassianProduct.Jira));
        result.Status.ShouldBe(SiteStatus.Failed);
        result.Reason.ShouldNotBeNull().ShouldContain("names no file");
        (await place.RunsAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task The_export_before_is_not_taken_for_the_new_one()
    {
        await using var place = await SitePlace.StartAsync();
        var old = place.Server.AddExport(ExportProduct.Confluence, TimeSpan.FromDays(3));
        var stale = System.Text.Json.JsonSerializer.Serialize(new { fileName = $"temp/filestore/{old.Id}", size = 1, currentStatus = "Archiving attachments.", alternativePercentage = "100%", time = old.Time.ToUnixTimeMilliseconds(), isOutdated = true });
        // Once for what was there before, and still after the new one was asked for; between them what is no answer at all.
        place.Server.AddProgressAnswers((200, "application/json", stale), (200, "application/json", stale), (200, "text/html", "<html><title>Loading</title></html>"), (200, "application/json", ""), (200, "application/json", stale));
        var result = await place.RunAsync();
        result.Status.ShouldBe(SiteStatus.Completed);
        result.Key.ShouldNotBeNull().ShouldNotContain($"{old.Id}");
        result.Key.ShouldContain($"{place.Server.Confluence!.Id}");
    }

    [Fact]
    public async Task Progress_in_XML_is_understood()
    {
        await using var place = await SitePlace.StartAsync();
        place.Server.AddProgressAnswers((204, "", ""), (200, "application/xml", """<backupresult alternativePercentage="57%" currentStatus="Exporting" size="0" time="1760000000000"/>"""));
        (await place.RunAsync()).Status.ShouldBe(SiteStatus.Completed);
        place.Said.ShouldContain(line => line.Contains("57 %", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Pages_instead_of_progress_are_borne_for_a_while_and_not_for_ever()
    {
        await using var place = await SitePlace.StartAsync();
        place.Server.AddProgressAnswers([.. Enumerable.Repeat((200, "text/html", "<html>busy</html>"), 5)]);
        (await place.RunAsync()).Status.ShouldBe(SiteStatus.Completed);
        place.Server.AddProgressAnswers([.. Enumerable.Repeat((200, "text/html", "<html>busy</html>"), 100)]);
        var result = await place.RunAsync();
        result.Status.ShouldBe(SiteStatus.Failed);
        result.Kind.ShouldBe(FailureKind.Unavailable);
    }

    [Fact]
    public async Task A_failure_that_the_site_tells_is_repeated()
    {
        await using var place = await SitePlace.StartAsync();
        place.Server.AddProgressAnswers((200, "application/json", "{}"), (200, "application/json", """{"currentStatus":"error in nothing","alternativePercentage":"3%"}"""), (200, "application/json", """{"failedMessage":"Disk is full on node 3","alternativePercentage":"40%","time":1}"""));
        var result = await place.RunAsync();
        result.Status.ShouldBe(SiteStatus.Failed);
        result.Reason.ShouldNotBeNull().ShouldContain("Disk is full on node 3");
    }

    [Theory]
    [InlineData("""{"failedMessage":"No space left"}""")]
    [InlineData("""{"failedMessage":"No space left","alternativePercentage":"12%","time":1760000000000}""")]
    public async Task A_failure_without_a_time_is_one_too_and_that_of_an_export_before_is_none(string failure)
    {
        await using var place = await SitePlace.StartAsync();
        place.Server.AddProgressAnswers((200, "application/json", "{}"), (200, "application/json", failure));
        (await place.RunAsync()).Reason.ShouldNotBeNull().ShouldContain("No space left");
        place.Server.Confluence = null;
        place.Server.AddProgressAnswers((200, "application/json", failure), (200, "application/json", failure), (200, "application/json", failure));
        (await place.RunAsync()).Status.ShouldBe(SiteStatus.Completed);
    }

    [Fact]
    public async Task A_wrong_token_is_told_from_a_missing_right_and_from_a_missing_product()
    {
        await using var place = await SitePlace.StartAsync();
        var wrong = await place.RunAsync(place.Options() with { ApiToken = new("wrong") });
        (wrong.Status, wrong.Kind).ShouldBe((SiteStatus.AuthenticationFailed, FailureKind.AuthenticationFailed));
        wrong.Advice.ShouldNotBeNull().ShouldContain("classic API token");

        place.Server.Options = place.Server.Options with { AllowsAnonymous = true };
        (await place.RunAsync(place.Options() with { ApiToken = new("wrong") })).Status.ShouldBe(SiteStatus.AuthenticationFailed);

        foreach (var product in Enum.GetValues<AtlassianProduct>())
        {
            place.Server.Options = place.Server.Options with { IsAdministrator = false, HasConfluence = true, HasJira = true };
            var denied = await place.RunAsync(place.Options(product));
            (denied.Status, denied.Kind).ShouldBe((SiteStatus.PermissionDenied, FailureKind.PermissionDenied));
            place.Server.Options = place.Server.Options with { IsAdministrator = true, HasConfluence = false, HasJira = false };
            (await place.RunAsync(place.Options(product))).Status.ShouldBe(SiteStatus.NotLicensed);
        }

        (await place.KeysAsync()).ShouldBeEmpty();
        place.Server.Requests.ShouldAllBe(request => request.Method == "GET");
    }

    [Fact]
    public async Task Jiras_gate_is_no_matter_of_credentials()
    {
        await using var place = await SitePlace.StartAsync(new() { JiraUiOnly = true });
        var result = await place.RunAsync(place.Options(AtlassianProduct.Jira));
        result.Status.ShouldBe(SiteStatus.UiOnly);
        result.Outcome.ShouldBe(Outcome.Failed);
        result.Kind.ShouldBe(FailureKind.NotSupported);
        result.Advice.ShouldNotBeNull().ShouldContain("Save-AtlassianExport");
    }

    [Theory]
    [InlineData(AtlassianProduct.Confluence, null, null)]
    [InlineData(AtlassianProduct.Jira, null, null)]
    [InlineData(AtlassianProduct.Confluence, 500, "Backup frequency is limited. You can not make another backup right now. Approximate time till next allowed backup: {0}")]
    [InlineData(AtlassianProduct.Jira, 412, """{"error":"Backup frequency is limited. Approximate time until next allowed backup: 23 hours and 4 minutes"}""")]
    public async Task Too_early_is_an_adopted_export_where_one_is_young_enough(AtlassianProduct product, int? status, string? text)
    {
        await using var place = await SitePlace.StartAsync(new() { Cooldown = TimeSpan.FromHours(24), CooldownAnswer = status is { } code ? (code, text!) : null });
        var export = place.Server.AddExport((ExportProduct)product, TimeSpan.FromHours(1));
        var result = await place.RunAsync(place.Options(product));
        result.Status.ShouldBe(SiteStatus.Adopted);
        result.ExportedAt.ShouldBe(export.Time);
        (result.AllowedAt - DateTimeOffset.UtcNow).ShouldNotBeNull().TotalHours.ShouldBeInRange(22.9, 23.1);
        (await place.RunsAsync()).ShouldHaveSingleItem().Outcome.ShouldBe(Outcome.Adopted);

        // It is stored now: there is nothing that a second run could do before the time has come.
        var again = await place.RunAsync(place.Options(product));
        again.Status.ShouldBe(SiteStatus.Deferred);
        again.Outcome.ShouldBe(Outcome.Deferred);
        (again.AllowedAt - DateTimeOffset.UtcNow).ShouldNotBeNull().TotalHours.ShouldBeInRange(22.9, 23.1);
        again.Reason.ShouldNotBeNull().ShouldContain(result.RunId!);
        (await place.RunsAsync()).Count.ShouldBe(1);
    }

    [Fact]
    public async Task Too_early_with_nothing_young_enough_is_deferred()
    {
        await using var place = await SitePlace.StartAsync(new() { Cooldown = TimeSpan.FromDays(9) });
        place.Server.AddExport(ExportProduct.Confluence, TimeSpan.FromDays(3));
        var result = await place.RunAsync();
        result.Status.ShouldBe(SiteStatus.Deferred);
        (result.AllowedAt - DateTimeOffset.UtcNow).ShouldNotBeNull().TotalDays.ShouldBeInRange(5.9, 6.1);
        (await place.KeysAsync()).ShouldBeEmpty();

        (await place.RunAsync(place.Options() with { MaxAge = TimeSpan.FromDays(4) })).Status.ShouldBe(SiteStatus.Adopted);
    }

    [Fact]
    public async Task A_cooldown_that_is_told_and_not_kept_is_a_new_export()
    {
        await using var place = await SitePlace.StartAsync(new() { Cooldown = TimeSpan.FromHours(24), CosmeticCooldown = true });
        var old = place.Server.AddExport(ExportProduct.Confluence, TimeSpan.FromHours(2));
        var result = await place.RunAsync();
        result.Status.ShouldBe(SiteStatus.Completed);
        result.Key.ShouldNotBeNull().ShouldNotContain($"{old.Id}");
    }

    [Fact]
    public async Task MaxAge_takes_what_is_there_and_asks_for_nothing()
    {
        await using var place = await SitePlace.StartAsync();
        place.Server.AddExport(ExportProduct.Confluence, TimeSpan.FromHours(5));
        var options = place.Options() with { MaxAge = TimeSpan.FromHours(6) };
        var first = await place.RunAsync(options);
        first.Status.ShouldBe(SiteStatus.Adopted);
        var second = await place.RunAsync(options);
        second.Status.ShouldBe(SiteStatus.Unchanged);
        second.RunId.ShouldBe(first.RunId);
        place.Server.Requests.ShouldAllBe(request => request.Method == "GET");
        (await place.RunAsync(options with { MaxAge = TimeSpan.FromHours(4) })).Status.ShouldBe(SiteStatus.Completed);
    }

    [Fact]
    public async Task An_export_that_is_being_made_already_is_waited_for()
    {
        await using var place = await SitePlace.StartAsync(new() { Polls = 4 });
        place.Server.Confluence = new() { TaskId = 1, Time = DateTimeOffset.UtcNow, Polls = 4, PollsLeft = 4 };
        var result = await place.RunAsync();
        result.Status.ShouldBe(SiteStatus.Adopted);
        place.Server.Requests.ShouldAllBe(request => request.Method == "GET");
    }

    [Theory]
    [InlineData(AtlassianProduct.Confluence)]
    [InlineData(AtlassianProduct.Jira)]
    public async Task An_export_that_is_late_is_waited_for_by_the_next_run(AtlassianProduct product)
    {
        await using var place = await SitePlace.StartAsync(new() { Cooldown = TimeSpan.FromHours(24), Polls = int.MaxValue });
        var late = await place.RunAsync(place.Options(product) with { Timeout = TimeSpan.FromMilliseconds(200) });
        (late.Status, late.Kind).ShouldBe((SiteStatus.TimedOut, FailureKind.TimedOut));
        (product == AtlassianProduct.Jira ? place.Server.Jira : place.Server.Confluence)!.PollsLeft = 2;

        (await place.RunAsync(place.Options(product))).Status.ShouldBe(SiteStatus.Completed);
        place.Server.Requests.Count(request => request.Method == "POST").ShouldBe(1);
        (await place.RunsAsync()).ShouldHaveSingleItem().Properties!["trigger"].ShouldBe("requested");
        (await place.KeysAsync()).ShouldNotContain(key => key.StartsWith("_catalog/pending/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_export_that_was_waited_for_long_ago_is_not_stored_as_new()
    {
        await using var place = await SitePlace.StartAsync(new() { Polls = int.MaxValue });
        var time = new FakeTime();
        var options = place.Options() with { Store = new() { Time = time }, Timeout = TimeSpan.FromHours(1) };
        time.Advance(TimeSpan.FromDays(-5));
        var running = place.RunAsync(options);
        while (place.Server.Requests.Count(request => request.Target.Contains("getprogress", StringComparison.Ordinal)) < 2)
            await Task.Delay(5, TestContext.Current.CancellationToken);
        time.Advance(TimeSpan.FromHours(2));
        while (!running.IsCompleted)
        {
            time.Advance(TimeSpan.FromMinutes(1));
            await Task.Delay(5, TestContext.Current.CancellationToken);
        }

        (await running).Status.ShouldBe(SiteStatus.TimedOut);
        (await place.KeysAsync()).ShouldContain(key => key.StartsWith("_catalog/pending/", StringComparison.Ordinal));
        var old = place.Server.Confluence!;
        old.PollsLeft = 0;
        place.Server.Options = place.Server.Options with { Polls = 1 };
        var result = await place.RunAsync();
        result.Status.ShouldBe(SiteStatus.Completed);
        result.Key.ShouldNotBeNull().ShouldNotContain($"{old.Id}");
    }

    [Fact]
    public async Task A_failure_is_told_to_Teams_and_a_success_is_not()
    {
        await using var place = await SitePlace.StartAsync();
        await using var teams = await Http.HttpPeer.StartAsync(Http.HttpPeer.Answer(202));
        var options = place.Options() with { Webhook = new(teams.Address) };
        (await place.RunAsync(options)).Status.ShouldBe(SiteStatus.Completed);
        teams.Requests.ShouldBeEmpty();
        place.Server.Options = place.Server.Options with { HasConfluence = false };
        (await place.RunAsync(options with { WhatIf = true })).Status.ShouldBe(SiteStatus.NotLicensed);
        teams.Requests.ShouldBeEmpty();
        (await place.RunAsync(options)).Status.ShouldBe(SiteStatus.NotLicensed);
        var notice = teams.Requests.ShouldHaveSingleItem().Body;
        notice.ShouldContain("NotLicensed");
        notice.ShouldContain(place.Server.Address.Authority);
        notice.ShouldNotContain(SitePlace.Token);
    }

    [Fact]
    public async Task WhatIf_changes_nothing_anywhere()
    {
        await using var place = await SitePlace.StartAsync();
        foreach (var product in Enum.GetValues<AtlassianProduct>())
        {
            var result = await place.RunAsync(place.Options(product) with { WhatIf = true });
            (result.Status, result.WhatIf).ShouldBe((SiteStatus.Planned, true));
            result.Reason.ShouldNotBeNull().ShouldContain("would be");
            place.Server.AddExport((ExportProduct)product, TimeSpan.FromHours(1));
            (await place.RunAsync(place.Options(product) with { WhatIf = true, MaxAge = TimeSpan.FromHours(2) })).Status.ShouldBe(SiteStatus.Planned);
        }

        place.Server.Requests.ShouldAllBe(request => request.Method == "GET" && request.Server == "site");
        (await place.KeysAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_flipped_bit_is_found_and_its_bytes_are_kept_aside()
    {
        await using var place = await SitePlace.StartAsync();
        var (name, offset, _) = place.Server.Generate(ExportProduct.Confluence).Attachments.Skip(2).First();
        place.Server.FlippedByte = offset + 100;
        var result = await place.RunAsync();
        (result.Status, result.Outcome, result.Kind).ShouldBe((SiteStatus.Failed, Outcome.Failed, FailureKind.Corrupt));
        result.Reason.ShouldNotBeNull().ShouldContain(name);
        result.Reason.ShouldContain($"{offset}");
        result.Key.ShouldBeNull();
        var keys = await place.KeysAsync();
        keys.ShouldContain(result.QuarantineKey!, StringComparer.Ordinal);
        result.QuarantineKey.ShouldNotBeNull().ShouldStartWith("_quarantine/confluence/");
        keys.ShouldNotContain(key => key.StartsWith("confluence/", StringComparison.Ordinal));
        (await place.HashAsync(result.QuarantineKey!)).Length.ShouldBe(place.Server.Options.ExportSize);
        var run = (await place.RunsAsync()).ShouldHaveSingleItem();
        run.Outcome.ShouldBe(Outcome.Failed);
        run.Properties!["verification"].ShouldStartWith("ChecksumMismatch at byte");

        // The next run does not take it for a backup.
        place.Server.FlippedByte = null;
        (await place.RunAsync(place.Options() with { MaxAge = TimeSpan.FromHours(1) })).Status.ShouldBe(SiteStatus.Adopted);
    }

    [Fact]
    public async Task Old_runs_go_after_a_good_one_and_never_after_a_bad_one()
    {
        await using var place = await SitePlace.StartAsync(new() { Polls = 0 });
        var options = place.Options() with { Keep = Retention.Parse("1l") };
        (await place.RunAsync(options)).Status.ShouldBe(SiteStatus.Completed);
        var second = await place.RunAsync(options);
        second.Removed.ShouldBe(1);
        (await place.RunsAsync()).ShouldHaveSingleItem().RunId.ShouldBe(second.RunId);
        place.Server.FlippedByte = 300_000;
        (await place.RunAsync(options)).Status.ShouldBe(SiteStatus.Failed);
        (await place.RunsAsync()).Select(run => run.Outcome).ShouldBe([Outcome.Failed, Outcome.Completed]);
        (await place.HashAsync(second.Key!)).Length.ShouldBe(second.Bytes);
    }

    [Fact]
    public async Task A_store_that_cannot_take_it_is_found_before_anything_is_asked_for()
    {
        await using var place = await SitePlace.StartAsync();
        var file = Path.GetTempFileName();
        var failure = await Should.ThrowAsync<BackupException>(async () => await place.RunAsync(place.Options() with { Destination = StoreLocation.ForDirectory(Path.Combine(file, "below")) }));
        failure.Message.ShouldContain(file);
        place.Server.Requests.ShouldBeEmpty();
        File.Delete(file);
    }

    [Fact]
    public async Task Each_site_is_a_result_of_its_own()
    {
        await using var place = await SitePlace.StartAsync();
        await using var other = await SitePlace.StartAsync();
        var gone = new Uri("http://127.0.0.1:1/");
        var options = place.Options() with { Sites = [AtlassianSite.Parse(place.Server.Address.AbsoluteUri), AtlassianSite.Parse(gone.AbsoluteUri), AtlassianSite.Parse(other.Server.Address.AbsoluteUri)] };
        var results = await SiteBackup.RunAsync(options, null, TestContext.Current.CancellationToken).ToListAsync(TestContext.Current.CancellationToken);
        results.Count.ShouldBe(3);
        results.Count(result => result.Status == SiteStatus.Completed).ShouldBe(2);
        var failed = results.Single(result => result.Outcome == Outcome.Failed);
        failed.Kind.ShouldBe(FailureKind.Unavailable);
        failed.Reason.ShouldNotBeNull().ShouldContain("127.0.0.1:1");
    }

    private sealed class Listener(List<BackupProgress> seen) : IProgress<BackupProgress>
    {
        public void Report(BackupProgress value)
        {
            lock (seen)
                seen.Add(value);
        }
    }
}
