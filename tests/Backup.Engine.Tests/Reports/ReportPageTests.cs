using System.Text.Json;
using System.Text.Json.Nodes;
using Backup.Engine.Reports;
using Backup.Engine.Runs;
using Backup.Engine.Tests.Fixtures;

namespace Backup.Engine.Tests.Reports;

/// <summary>The page as a browser that others wrote sees it. REPORT_SCREENSHOTS names a directory that keeps the pictures.</summary>
public sealed class ReportPageTests(ChromiumFixture chromium) : IClassFixture<ChromiumFixture>, IAsyncDisposable
{
    private const string Hostile = "/srv/<img src=x onerror=alert(1)></title><script>alert(2)</script>\"'&amp;\u202egnp.\u0007/日本語";

    private readonly CatalogPlace _place = new();
    private readonly TemporaryDirectory _directory = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await _place.DisposeAsync();
        _directory.Dispose();
    }

    [Theory]
    [InlineData("light", 1280, false)]
    [InlineData("dark", 1280, true)]
    [InlineData("phone", 360, false)]
    [InlineData("phone-dark", 360, true)]
    public async Task A_browser_shows_it(string name, int width, bool dark)
    {
        var browser = await chromium.StartAsync();
        var path = await WritePageAsync();
        await browser.OpenAsync(path, width, 800, dark);
        await browser.EvaluateAsync("document.querySelectorAll('details').forEach(d => d.open = true)");
        var picture = await browser.ScreenshotAsync();
        if (Environment.GetEnvironmentVariable("REPORT_SCREENSHOTS") is { } keep)
            await File.WriteAllBytesAsync(Path.Combine(keep, $"{name}.png"), picture, Token);

        // Nothing is loaded, nothing runs, and nothing in the page is refused by its own policy.
        browser.Requests.Where(address => !address.StartsWith("data:", StringComparison.Ordinal)).ShouldBe([new Uri(path).AbsoluteUri]);
        browser.Complaints.ShouldBeEmpty();
        (await browser.EvaluateAsync("document.querySelectorAll('script, img, iframe, link[rel=stylesheet], [onerror], [onclick]').length"))!.GetValue<int>().ShouldBe(0);

        // Names are text, and nothing in them hides or turns what is around it.
        (await browser.EvaluateAsync("[...document.querySelectorAll('#sources ~ table tbody th bdi')].map(e => e.textContent).join('\\n')"))!.GetValue<string>()
            .ShouldContain(Hostile.Replace("\u0007", "\u2407", StringComparison.Ordinal).Replace("\u202e", "[U+202E]", StringComparison.Ordinal));
        (await browser.EvaluateAsync("document.title"))!.GetValue<string>().ShouldBe("Backup report");

        // As wide as the screen, and no wider.
        (await browser.EvaluateAsync("document.documentElement.scrollWidth"))!.GetValue<int>().ShouldBeLessThanOrEqualTo(width);

        // Every text is readable against what is behind it: WCAG 2.2, 1.4.3.
        var faint = await browser.EvaluateAsync(Contrast);
        faint!.GetValue<string>().ShouldBe("");
        (await browser.EvaluateAsync("getComputedStyle(document.body).backgroundColor"))!.GetValue<string>().ShouldBe(dark ? "rgb(15, 20, 25)" : "rgb(255, 255, 255)");
    }

    [Theory]
    [InlineData(1280)]
    [InlineData(360)]
    public async Task Accessibility_tools_find_their_way(int width)
    {
        var browser = await chromium.StartAsync();
        await browser.OpenAsync(await WritePageAsync(), width, 800, dark: false);
        var nodes = await browser.AccessibilityAsync();
        nodes.Count(node => node.Role == "main").ShouldBe(1);
        nodes.ShouldContain(node => node.Role == "banner");
        nodes.ShouldContain(node => node.Role == "contentinfo");
        nodes.ShouldContain(node => node.Role == "region" && node.Name == "Sources");
        nodes.Count(node => node.Role == "heading" && node.Name == "Backup report").ShouldBe(1);
        // On a phone the rows are drawn as cards, and stay rows of a table.
        nodes.ShouldContain(node => node.Role == "columnheader" && node.Name == "Last good run");
        nodes.Count(node => node.Role == "rowheader").ShouldBeGreaterThan(4);
        nodes.Where(node => node.Role is "image" or "img").ShouldAllBe(node => node.Name.Contains(" over time: ", StringComparison.Ordinal));
        // Of the sources that are open, one has runs enough to draw; the others are closed.
        nodes.Count(node => node.Role is "image" or "img").ShouldBe(2);
    }

    [Fact]
    public async Task It_can_be_used_by_keyboard()
    {
        var browser = await chromium.StartAsync();
        await browser.OpenAsync(await WritePageAsync(), 1280, 800, dark: false);
        await browser.PressAsync("Tab", 9);
        (await browser.EvaluateAsync("document.activeElement.textContent"))!.GetValue<string>().ShouldBe("To the report");
        (await browser.EvaluateAsync("document.activeElement.getBoundingClientRect().left >= 0"))!.GetValue<bool>().ShouldBeTrue();
        await browser.PressAsync("Enter", 13, "\r");
        (await browser.EvaluateAsync("location.hash"))!.GetValue<string>().ShouldBe("#main");

        // The details of the last source are closed, and open by keyboard.
        await browser.EvaluateAsync("void [...document.querySelectorAll('summary')].at(-1).focus()");
        (await browser.EvaluateAsync("[...document.querySelectorAll('details')].at(-1).open"))!.GetValue<bool>().ShouldBeFalse();
        await browser.PressAsync("Enter", 13, "\r");
        (await browser.EvaluateAsync("[...document.querySelectorAll('details')].at(-1).open"))!.GetValue<bool>().ShouldBeTrue();
    }

    [Fact]
    public async Task Every_source_has_a_row_and_the_worst_come_first()
    {
        var browser = await chromium.StartAsync();
        await browser.OpenAsync(await WritePageAsync(), 1280, 800, dark: false);
        var rows = (await browser.EvaluateAsync("[...document.querySelectorAll('#sources ~ table tbody tr')].map(r => [...r.cells].map(c => c.innerText))"))!.AsArray().Select(row => row!.AsArray().Select(cell => cell!.GetValue<string>()).ToList()).ToList();
        rows.Select(row => row[1].Split('\n')[0].Trim()).ShouldBe(["✗ Missing", "✗ Stale", "▲ Failing", "✓ Fresh", "✓ Fresh", "✓ Fresh"]);
        var failing = rows[2];
        failing[0].ShouldStartWith("/srv/mail");
        failing[1].ShouldContain("2 items failed.");
        failing[3].ShouldBe("20 h / 24 h");
        failing[4].ShouldContain("5 GiB");
        failing[6].ShouldContain("proven at write");
        // The link of a row leads to its runs.
        (await browser.EvaluateAsync("[...document.querySelectorAll('#sources ~ table a')].every(a => document.querySelector(a.getAttribute('href'))?.matches('details'))"))!.GetValue<bool>().ShouldBeTrue();
        var page = (await browser.EvaluateAsync("document.body.innerText"))!.GetValue<string>();
        page.ShouldContain("inbox.mbox: It changed while it was read. (ChangedWhileRead)");
        page.ShouldContain("/mnt/gone");
        page.ShouldContain("DEEP_ARCHIVE");
        page.ShouldContain("1.23 USD");
    }

    [Fact]
    public async Task A_bar_is_as_high_as_its_run_is_long()
    {
        var browser = await chromium.StartAsync();
        foreach (var (ago, minutes) in new[] { (3, 10), (2, 40), (1, 20) })
            await _place.RunAsync("/srv/a", TimeSpan.FromHours(ago), also: run => run with { Started = run.Finished.AddMinutes(-minutes), TotalBytes = minutes });
        await browser.OpenAsync(await WritePageAsync(await _place.ReadAsync(options => options with { History = true })), 1280, 800, dark: false);
        var heights = (await browser.EvaluateAsync("[...document.querySelector('svg .time').getAttribute('d').matchAll(/V([\\d.]+)/g)].map(m => 100 - Number(m[1]))"))!.AsArray().Select(height => height!.GetValue<double>()).ToList();
        heights.ShouldBe([24, 96, 48], 0.11);
        var places = (await browser.EvaluateAsync("[...document.querySelector('svg .time').getAttribute('d').matchAll(/M([\\d.]+)/g)].map(m => Number(m[1]))"))!.AsArray().Select(place => place!.GetValue<double>()).ToList();
        places.ShouldBe([4, 500, 996], 0.11);
    }

    [Fact]
    public async Task JSON_says_the_same()
    {
        var report = new BackupReport { Generated = _place.Now, Destinations = await ReportsAsync() };
        using var stream = new MemoryStream();
        await JsonReport.WriteAsync(stream, report, Token);
        var json = JsonNode.Parse(stream.ToArray())!;
        var sources = json["destinations"]![0]!["sources"]!.AsArray();
        var mail = sources.Single(source => source!["sourceName"]!.GetValue<string>() == "/srv/mail")!;
        mail["state"]!.GetValue<string>().ShouldBe("Failing");
        mail["fresh"]!.GetValue<bool>().ShouldBeTrue();
        mail["ageSeconds"]!.GetValue<double>().ShouldBe(TimeSpan.FromHours(20).TotalSeconds);
        mail["runs"]![0]!["failures"]![0]!["kind"]!.GetValue<string>().ShouldBe("ChangedWhileRead");
        mail["runs"]![0]!["durationSeconds"]!.GetValue<double>().ShouldBe(600);
        sources.ShouldContain(source => source!["sourceName"]!.GetValue<string>() == Hostile);
        json["destinations"]![0]!["cost"]!["monthly"]!.GetValue<decimal>().ShouldBe(1.23m);
        json["destinations"]![1]!["kind"]!.GetValue<string>().ShouldBe("NotFound");
    }

    // Colours of every element with text of its own, against the nearest ground behind it.
    private const string Contrast = """
        (() => {
          const parse = c => c.match(/[\d.]+/g).map(Number);
          const light = c => { const [r, g, b] = c.map(v => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b; };
          const faint = [];
          for (const e of document.querySelectorAll('body *')) {
            if (![...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()) || !e.checkVisibility()) continue;
            let ground = [0, 0, 0, 0];
            for (let b = e; b && !(ground[3] > 0); b = b.parentElement) { ground = parse(getComputedStyle(b).backgroundColor); if (ground.length === 3) ground.push(1); }
            const [a, b] = [light(parse(getComputedStyle(e).color).slice(0, 3)), light(ground.slice(0, 3))];
            const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
            if (ratio < 4.5) faint.push(`${ratio.toFixed(2)} ${e.className} ${e.textContent.slice(0, 40)}`);
          }
          return faint.join('\n');
        })()
        """;

    private async Task<string> WritePageAsync(params DestinationReport[] reports)
    {
        var report = new BackupReport { Generated = _place.Now, Destinations = reports.Length > 0 ? reports : await ReportsAsync() };
        var path = _directory.Combine("report.html");
        await ReportFile.WriteAsync(path, (stream, token) => HtmlReport.WriteAsync(stream, report, token), Token);
        return path;
    }

    private async Task<DestinationReport[]> ReportsAsync()
    {
        var random = new Random(7);
        for (var day = 60; day >= 1; day--)
        {
            var (share, ago) = (60 - day, TimeSpan.FromDays(day) - TimeSpan.FromHours(4));
            var seconds = 300 + random.Next(500);
            await _place.RunAsync("/srv/images", ago, day is 20 or 41 ? Outcome.Failed : Outcome.Completed, also: run => run with { Started = run.Finished.AddSeconds(-seconds), TotalBytes = (40L << 30) + (share * (share / 7) << 26), BytesStored = random.NextInt64(1L << 30) });
            if (day % 7 == 0 || day < 3)
                await _place.RunAsync("acme.atlassian.net", ago, system: "jira", also: run => run with { Started = run.Finished.AddSeconds(-seconds * 9), TotalBytes = (9L << 30) + random.NextInt64(1L << 30), TotalObjects = 3 });
        }

        await _place.RunAsync("/srv/mail", TimeSpan.FromHours(20));
        await _place.RunAsync("/srv/mail", TimeSpan.FromHours(2), Outcome.Failed, also: run => run with
        {
            Failures = [new("inbox.mbox", FailureKind.ChangedWhileRead, "It changed while it was read."), new("<b>old</b>.pst", FailureKind.PermissionDenied, "Access to it was denied.")],
        });
        await _place.RunAsync("acme", TimeSpan.FromDays(9), system: "github");
        await _place.RunAsync(Hostile, TimeSpan.FromHours(3));
        var report = await _place.ReadAsync(options => options with { History = true }, "*", "confluence");
        report.Failure.ShouldBeNull();
        return
        [
            report with
            {
                Cost = new() { Currency = "USD", PricesAsOf = "us-east-1, 2026-11", Monthly = 1.23m, Classes = [new("DEEP_ARCHIVE", 120_000, 900L << 30, 0.91m), new("STANDARD", 340, 14L << 30, 0.32m), new("SNOW", 1, 1, null)] },
            },
            new() { Destination = "/mnt/gone", Failure = "There is no store in '/mnt/gone': the directory does not exist.", Kind = FailureKind.NotFound, Advice = "Check the path, and that the drive is mounted." },
        ];
    }
}
