using System.Text;

namespace Backup.Engine.Reports;

/// <summary>
/// A drawing of runs over time, one path a kind of run so that a thousand charts stay small. Its words are beside it in HTML,
/// where they keep their size on a phone.
/// </summary>
internal static class SvgChart
{
    private const double Width = 1000;
    private const double Height = 100;

    // Room for the width of a stroke.
    private const double Edge = 4;

    /// <summary>The size after each good run as a filled line; failed runs as dashed marks.</summary>
    public static string Size(IReadOnlyList<ReportRun> oldestFirst, string label)
    {
        var x = Axis(oldestFirst);
        var good = oldestFirst.Where(run => run.IsGood).ToList();
        var most = Math.Max(1, good.Select(run => run.TotalBytes).DefaultIfEmpty().Max());
        var line = new StringBuilder();
        foreach (var run in good)
        {
            var y = Y((double)run.TotalBytes / most);
            // Between two runs nobody knows: the size is what the last one left.
            line.Append(line.Length == 0 ? Words.Invariant($"M{x(run):0.#} {y:0.#}") : Words.Invariant($"H{x(run):0.#}V{y:0.#}"));
        }

        var area = good.Count > 1 ? Words.Invariant($"""<path class="area" d="{line}V{Height}H{x(good[0]):0.#}Z"/>""") : "";
        var path = good.Count > 1 ? $"""<path class="stroke size" d="{line}"/>""" : Bars("size", good, x, run => (double)run.TotalBytes / most);
        return Frame(label, area + path + Failed(oldestFirst, x));
    }

    /// <summary>The duration of each run as a bar, failed runs dashed.</summary>
    public static string Duration(IReadOnlyList<ReportRun> oldestFirst, string label)
    {
        var x = Axis(oldestFirst);
        var most = Math.Max(0.001, oldestFirst.Max(run => run.Duration.TotalSeconds));
        double Share(ReportRun run) => run.Duration.TotalSeconds / most;
        return Frame(label, Bars("time", oldestFirst.Where(run => run.IsGood), x, Share) + Bars("failed", oldestFirst.Where(run => !run.IsGood), x, Share));
    }

    private static string Failed(IEnumerable<ReportRun> runs, Func<ReportRun, double> x) => Bars("failed", runs.Where(run => !run.IsGood), x, _ => 1);

    private static string Bars(string style, IEnumerable<ReportRun> runs, Func<ReportRun, double> x, Func<ReportRun, double> share)
    {
        var path = string.Concat(runs.Select(run => Words.Invariant($"M{x(run):0.#} {Height}V{Math.Min(Y(share(run)), Height - 2):0.#}")));
        return path.Length == 0 ? "" : $"""<path class="stroke {style}" d="{path}"/>""";
    }

    private static Func<ReportRun, double> Axis(IReadOnlyList<ReportRun> oldestFirst)
    {
        var (first, span) = (oldestFirst[0].Finished, (oldestFirst[^1].Finished - oldestFirst[0].Finished).TotalSeconds);
        return run => span <= 0 ? Width / 2 : Edge + (Math.Clamp((run.Finished - first).TotalSeconds / span, 0, 1) * (Width - (2 * Edge)));
    }

    private static double Y(double share) => Height - (share * (Height - Edge));

    private static string Frame(string label, string content) => Words.Invariant($"""<svg viewBox="0 0 {Width} {Height}" preserveAspectRatio="none" role="img" aria-label="{label}">{content}</svg>""");
}
