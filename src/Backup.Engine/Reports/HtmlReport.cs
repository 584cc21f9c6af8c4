using System.Net;
using System.Text;
using System.Text.RegularExpressions;

namespace Backup.Engine.Reports;

/// <summary>A report as one page of HTML that loads nothing and runs nothing. Its frame and style are <c>report.html</c>.</summary>
public static partial class HtmlReport
{
    private const int ListedRuns = 15;
    private const int OpenSources = 3;

    /// <summary>Writes the page.</summary>
    public static async Task WriteAsync(Stream stream, BackupReport report, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(report);
        await using var writer = new StreamWriter(stream, new UTF8Encoding(false), leaveOpen: true);
        var template = await ReadTemplateAsync(cancellationToken);
        var next = 0;
        foreach (var match in Placeholder().Matches(template).Cast<Match>())
        {
            await writer.WriteAsync(template.AsMemory(next, match.Index - next), cancellationToken);
            foreach (var piece in Fill(match.Groups["name"].Value, report))
                await writer.WriteAsync(piece.AsMemory(), cancellationToken);
            next = match.Index + match.Length;
        }

        await writer.WriteAsync(template.AsMemory(next), cancellationToken);
        await writer.FlushAsync(cancellationToken);
    }

    private static IEnumerable<string> Fill(string name, BackupReport report) => name switch
    {
        "title" => ["Backup report"],
        "summary" => Summary(report),
        "failures" => Unreadable(report),
        "sources" => Sources(report),
        "history" => History(report),
        "cost" => Cost(report),
        "made" => [$"Made by AtlassianBackup {Text(report.Version)} at {Words.Moment(report.Generated)} of {Words.Count(report.Destinations.Count)} {(report.Destinations.Count == 1 ? "destination" : "destinations")}. All times are in UTC."],
        _ => throw new InvalidOperationException($"The template asks for '{name}'."),
    };

    private static IEnumerable<string> Summary(BackupReport report)
    {
        var sources = Worst(report);
        var (fresh, failing) = (sources.Count(source => source.IsFresh), sources.Count(source => source.State == SourceState.Failing));
        var unread = report.Destinations.Count(destination => destination.Failure is not null);
        var late = sources.Count - fresh;
        yield return $"""<p class="quiet"><time datetime="{Words.Iso(report.Generated)}">{Words.Moment(report.Generated)}</time></p>""";
        yield return (late, unread, failing) switch
        {
            (0, 0, 0) => """<p class="state good"><span aria-hidden="true">✓</span> Every source has a good run within its interval.</p>""",
            (0, 0, _) => """<p class="state warn"><span aria-hidden="true">▲</span> Every source has a good run within its interval; the newest run of some failed.</p>""",
            _ => """<p class="state bad"><span aria-hidden="true">✗</span> Not everything is backed up as it should be.</p>""",
        };
        yield return """<ul class="tiles">""";
        yield return Tile(Words.Count(sources.Count), "sources");
        yield return Tile(Words.Count(fresh), "fresh", "good");
        if (failing > 0)
            yield return Tile(Words.Count(failing), "of them failing", "warn");
        yield return Tile(Words.Count(late), "stale or missing", late > 0 ? "bad" : "");
        if (unread > 0)
            yield return Tile(Words.Count(unread), unread == 1 ? "destination not read" : "destinations not read", "bad");
        yield return Tile(Words.Size(sources.Sum(source => source.TotalBytes)), "in the newest good runs");
        if (report.Destinations.Any(destination => destination.Cost is not null))
            yield return Tile(Money(report.Destinations.Sum(destination => destination.Cost?.Monthly ?? 0), report.Destinations.First(destination => destination.Cost is not null).Cost!.Currency), "storage a month");
        yield return "</ul>\n";
    }

    private static IEnumerable<string> Unreadable(BackupReport report)
    {
        foreach (var destination in report.Destinations.Where(destination => destination.Failure is not null))
        {
            yield return $"""
                <div class="notice" role="note"><p><strong class="bad"><span aria-hidden="true">✗</span> {Name(destination.Destination)}</strong>: {Text(destination.Failure!)}</p>
                <p>{(destination.Sources.Count > 0 ? "What is told of it below is not all there is. " : "Nothing can be said of its sources. ")}{Text(destination.Advice ?? "")}</p></div>

                """;
        }
    }

    private static IEnumerable<string> Sources(BackupReport report)
    {
        var sources = Worst(report);
        if (sources.Count == 0)
        {
            yield return "<p>There is none.</p>\n";
            yield break;
        }

        // The roles say what the style on a phone takes away.
        yield return """
            <table class="cards" role="table"><caption>What needs a look comes first.</caption>
            <thead role="rowgroup"><tr role="row"><th role="columnheader" scope="col">Source</th><th role="columnheader" scope="col">State</th><th role="columnheader" scope="col">Last good run</th><th role="columnheader" scope="col" class="number">Age / expected</th><th role="columnheader" scope="col" class="number">Size</th><th role="columnheader" scope="col" class="number">Duration</th><th role="columnheader" scope="col">Verification</th></tr></thead>
            <tbody role="rowgroup">

            """;
        for (var i = 0; i < sources.Count; i++)
            yield return Row(sources[i], i);
        yield return "</tbody></table>\n";
    }

    private static string Row(SourceReport source, int index)
    {
        var name = source.Runs.Count > 0 ? $"""<a href="#s{index}">{Name(source.SourceName)}</a>""" : Name(source.SourceName);
        var place = source.System.Length > 0 ? $"{Text(source.System)} in {Name(source.Destination)}" : $"in {Name(source.Destination)}";
        var reason = source.Reason is { } why ? $"""<br><span class="small name">{Text(why)}</span>""" : "";
        var age = source.Age is { } known ? Words.Of(known) : "never";
        var unchanged = source.LastUnchanged is { } at && at == source.LastGood ? """<br><span class="small quiet">found unchanged</span>""" : "";
        return $"""
            <tr role="row"><th role="rowheader" scope="row" class="name">{name}<br><span class="small quiet">{place}</span></th>
            <td role="cell" data-label="State"><span>{State(source.State)}{reason}</span></td>
            <td role="cell" data-label="Last good run"><span>{(source.LastGood is { } good ? Words.Moment(good) : "none")}{unchanged}</span></td>
            <td role="cell" data-label="Age / expected" class="number"><span>{age} / {Words.Of(source.Interval)}</span></td>
            <td role="cell" data-label="Size" class="number"><span>{(source.LastGoodRunId is null ? "–" : $"{Words.Size(source.TotalBytes)}<br><span class=\"small quiet\">{Words.Count(source.TotalObjects)} objects</span>")}</span></td>
            <td role="cell" data-label="Duration" class="number"><span>{(source.Duration is { } duration ? Words.Of(duration) : "–")}</span></td>
            <td role="cell" data-label="Verification"><span>{Verification(source)}</span></td></tr>

            """;
    }

    private static string Verification(SourceReport source)
    {
        var proven = source.Proofs.Count > 0 ? $"proven at write<br><span class=\"small quiet\">{Text(string.Join(", ", source.Proofs))}</span>"
            : source.LastGoodRunId is not null ? "nothing was written" : "–";
        return source.LastVerified is { } verified
            ? $"{(source.VerifiedDeep == true ? "deep" : "quick")}, {Words.Moment(verified)}<br><span class=\"small quiet\">{(source.VerifiedRunId == source.LastGoodRunId ? "the newest good run" : $"run {Text(source.VerifiedRunId ?? "")}")}</span>"
            : proven;
    }

    private static IEnumerable<string> History(BackupReport report)
    {
        var sources = Worst(report);
        if (sources.All(source => source.Runs.Count == 0))
            yield return "<p>There is no run to tell of.</p>\n";
        for (var i = 0; i < sources.Count; i++)
        {
            if (sources[i].Runs.Count + sources[i].Unreadable.Count > 0)
            {
                foreach (var piece in Details(sources[i], i))
                    yield return piece;
            }
        }
    }

    private static IEnumerable<string> Details(SourceReport source, int index)
    {
        var open = index < OpenSources || source.State != SourceState.Fresh ? " open" : "";
        yield return $"""<details id="s{index}"{open}><summary>{State(source.State)} <strong>{Name(source.SourceName)}</strong> <span class="quiet">{Text(source.System)} in {Name(source.Destination)}, {Words.Count(source.RunCount)} {(source.RunCount == 1 ? "run" : "runs")}</span></summary><div class="inside">""" + "\n";
        if (source.Runs.Count > 0)
        {
            // One run makes no line.
            if (source.Runs.Count > 1)
                yield return Charts([.. source.Runs.OrderBy(run => run.Finished)]);
            yield return Runs(source);
        }

        var failed = source.Runs.Where(run => !run.IsGood).ToList();
        if (failed.Count > 0)
        {
            yield return $"""<h3>Failures</h3><ul class="plain">""";
            foreach (var run in failed.Take(ListedRuns))
            {
                yield return $"<li><strong>{Words.Moment(run.Finished)}</strong>, run {Text(run.RunId)}: {Text(run.Reason ?? run.Outcome.ToString())}";
                if (run.Failures.Count > 0)
                {
                    yield return """<ul class="plain small">""";
                    foreach (var failure in run.Failures)
                        yield return $"<li>{Name(failure.Item)}: {Text(failure.Message)} <span class=\"quiet\">({failure.Kind})</span></li>";
                    if (run.Failed > run.Failures.Count)
                        yield return $"<li>and {Words.Count(run.Failed - run.Failures.Count)} more</li>";
                    yield return "</ul>";
                }

                yield return "</li>";
            }

            yield return failed.Count > ListedRuns ? $"<li>and {Words.Count(failed.Count - ListedRuns)} older ones</li></ul>\n" : "</ul>\n";
        }

        if (source.Unreadable.Count > 0)
            yield return $"""<h3>Manifests that cannot be read</h3><ul class="plain">{string.Concat(source.Unreadable.Take(ListedRuns).Select(line => $"<li>{Text(line)}</li>"))}</ul>""" + "\n";
        yield return "</div></details>\n";
    }

    private static string Charts(List<ReportRun> oldestFirst)
    {
        var good = oldestFirst.Where(run => run.IsGood).ToList();
        var failed = oldestFirst.Count - good.Count;
        var slowest = oldestFirst.MaxBy(run => run.Duration)!;
        // Days for weeks, moments for a day or two.
        Func<DateTimeOffset, string> date = oldestFirst[^1].Finished - oldestFirst[0].Finished < TimeSpan.FromDays(3) ? Words.Moment : Words.Day;
        var (first, last) = (date(oldestFirst[0].Finished), date(oldestFirst[^1].Finished));
        var span = $"{first} to {last}";
        var runs = $"{Words.Count(oldestFirst.Count)} runs, {span}{(failed > 0 ? $", {Words.Count(failed)} not good (dashed)" : "")}";
        var axis = $"""<div class="axis"><span>{first}</span><span>{last}</span></div>""";
        var size = good.Count == 0 ? "no good run" : $"{Words.Size(good[0].TotalBytes)} at first, {Words.Size(good[^1].TotalBytes)} at last, {Words.Size(good.Max(run => run.TotalBytes))} at most";
        var time = $"{Words.Of(oldestFirst[^1].Duration)} at last, {Words.Of(slowest.Duration)} at most";
        return $"""
            <div class="charts">
            <figure><figcaption>Size <span class="quiet">{size}</span></figcaption>{SvgChart.Size(oldestFirst, $"Size over time: {size}. {runs}.")}{axis}</figure>
            <figure><figcaption>Duration <span class="quiet">{time}</span></figcaption>{SvgChart.Duration(oldestFirst, $"Duration over time: {time}. {runs}.")}{axis}</figure>
            </div>
            {(failed > 0 ? "<p class=\"small quiet\">Dashed: runs that are not good.</p>" : "")}

            """;
    }

    private static string Runs(SourceReport source)
    {
        var rows = new StringBuilder();
        foreach (var run in source.Runs.Take(ListedRuns))
        {
            var state = run.IsGood ? State("good", "✓", run.Outcome.ToString()) : State("bad", "✗", run.Outcome == Outcome.Failed ? "Failed" : "Not good");
            var verified = run.Verified is { } at ? Words.Moment(at) : "–";
            rows.Append($"""
                <tr role="row"><th role="rowheader" scope="row">{Words.Moment(run.Finished)}<br><span class="small quiet">{Text(run.RunId)} on {Name(run.Host)}</span></th><td role="cell" data-label="Outcome">{state}</td><td role="cell" data-label="Stored" class="number"><span>{Words.Count(run.Stored)} ({Words.Size(run.BytesStored)})</span></td><td role="cell" data-label="Failed" class="number"><span>{Words.Count(run.Failed)}</span></td><td role="cell" data-label="In all" class="number"><span>{Words.Size(run.TotalBytes)}</span></td><td role="cell" data-label="Duration" class="number"><span>{Words.Of(run.Duration)}</span></td><td role="cell" data-label="Verified"><span>{verified}</span></td></tr>

                """);
        }

        var shown = Math.Min(ListedRuns, source.Runs.Count);
        return $"""
            <table class="cards small" role="table"><caption>{(source.RunCount > shown ? $"The newest {shown} of {Words.Count(source.RunCount)} runs" : "All runs")}</caption>
            <thead role="rowgroup"><tr role="row"><th role="columnheader" scope="col">Finished</th><th role="columnheader" scope="col">Outcome</th><th role="columnheader" scope="col" class="number">Stored</th><th role="columnheader" scope="col" class="number">Failed</th><th role="columnheader" scope="col" class="number">In all</th><th role="columnheader" scope="col" class="number">Duration</th><th role="columnheader" scope="col">Verified</th></tr></thead>
            <tbody role="rowgroup">
            {rows}</tbody></table>

            """;
    }

    private static IEnumerable<string> Cost(BackupReport report)
    {
        var priced = report.Destinations.Where(destination => destination.Cost is not null).ToList();
        if (priced.Count == 0)
        {
            yield return "<p>Not known: the destinations are directories, or their objects were not listed.</p>\n";
            yield break;
        }

        foreach (var destination in priced)
        {
            var cost = destination.Cost!;
            yield return $"""
                <table class="cards" role="table"><caption>{Name(destination.Destination)}: {Money(cost.Monthly, cost.Currency)} a month</caption>
                <thead role="rowgroup"><tr role="row"><th role="columnheader" scope="col">Storage class</th><th role="columnheader" scope="col" class="number">Objects</th><th role="columnheader" scope="col" class="number">Size</th><th role="columnheader" scope="col" class="number">A month</th></tr></thead>
                <tbody role="rowgroup">

                """;
            foreach (var use in cost.Classes)
                yield return $"""<tr role="row"><th role="rowheader" scope="row">{Text(use.StorageClass)}</th><td role="cell" data-label="Objects" class="number"><span>{Words.Count(use.Objects)}</span></td><td role="cell" data-label="Size" class="number"><span>{Words.Size(use.Bytes)}</span></td><td role="cell" data-label="A month" class="number"><span>{(use.Monthly is { } monthly ? Money(monthly, cost.Currency) : "not known")}</span></td></tr>""" + "\n";
            yield return $"""</tbody></table><p class="small quiet">AWS list prices of {Text(cost.PricesAsOf)}. Old versions, requests, transfer, discounts and taxes are left out.</p>""" + "\n";
        }
    }

    // The sort is stable: within a state the order is the catalog's.
    private static List<SourceReport> Worst(BackupReport report) => [.. report.Destinations.SelectMany(destination => destination.Sources).OrderByDescending(source => source.State)];

    private static string Tile(string number, string words, string style = "") => $"""<li><strong class="{style}">{number}</strong> {words}</li>""";

    private static string State(SourceState state) => state switch
    {
        SourceState.Fresh => State("good", "✓", "Fresh"),
        SourceState.Failing => State("warn", "▲", "Failing"),
        SourceState.Stale => State("bad", "✗", "Stale"),
        _ => State("bad", "✗", "Missing"),
    };

    // Never by colour alone.
    private static string State(string style, string sign, string word) => $"""<span class="state {style}"><span aria-hidden="true">{sign}</span> {word}</span>""";

    private static string Money(decimal amount, string currency) => Words.Invariant($"{(amount is > 0 and < 0.01m ? amount.ToString("0.####", System.Globalization.CultureInfo.InvariantCulture) : amount.ToString("N2", System.Globalization.CultureInfo.InvariantCulture))} {currency}");

    /// <summary>A name that others chose: text, kept apart from what is around it whatever direction it is written in.</summary>
    private static string Name(string name) => $"<bdi class=\"name\">{Text(name)}</bdi>";

    /// <summary>Text for content and attributes. What a reader would not see, or would be misled by, is shown: control characters by their pictures, changes of direction by their code.</summary>
    private static string Text(string text) => WebUtility.HtmlEncode(text.Any(IsInvisible) ? string.Concat(text.Select(Picture)) : text);

    private static bool IsInvisible(char c) => char.IsControl(c) || c is (>= '\u200b' and <= '\u200f') or (>= '\u202a' and <= '\u202e') or (>= '\u2060' and <= '\u2069') or '\ufeff';

    private static string Picture(char c) => c < ' ' ? ((char)(0x2400 + c)).ToString() : IsInvisible(c) ? Words.Invariant($"[U+{(int)c:X4}]") : c.ToString();

    private static async Task<string> ReadTemplateAsync(CancellationToken cancellationToken)
    {
        await using var stream = typeof(HtmlReport).Assembly.GetManifestResourceStream("report.html")!;
        using var reader = new StreamReader(stream);
        return await reader.ReadToEndAsync(cancellationToken);
    }

    [GeneratedRegex(@"\{\{(?<name>\w+)\}\}", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Placeholder();
}
