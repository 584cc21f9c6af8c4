using System.Text;
using System.Text.Json;
using Backup.Engine.Reports;
using Backup.Engine.Tests.Fixtures;

namespace Backup.Engine.Tests.Reports;

/// <summary>What monitors read.</summary>
public sealed class MetricsTests : IDisposable
{
    private const string Hostile = "C:\\data\n\"quoted\" ünï {x=\"1\"} # HELP";

    private static readonly DateTimeOffset Now = new(2026, 11, 21, 12, 0, 0, 500, TimeSpan.Zero);

    private readonly TemporaryDirectory _directory = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Prometheus_accepts_the_file()
    {
        Assert.SkipWhen(PeerProgram.Find("promtool") is null, "promtool is not installed.");
        var file = await PrometheusAsync(Reports());
        (await PeerProgram.RunAsync("sh", ["-c", $"promtool check metrics < '{file}'"])).Succeeded();
    }

    [Fact]
    public async Task Names_are_labels_whatever_they_hold()
    {
        var lines = await File.ReadAllLinesAsync(await PrometheusAsync(Reports()), Token);
        const string Labels = """{destination="s3://acme/backup",system="folders",source="C:\\data\n\"quoted\" ünï {x=\"1\"} # HELP"}""";
        lines.ShouldContain($"atlassianbackup_source_fresh{Labels} 1", StringComparer.Ordinal);
        lines.ShouldContain($"atlassianbackup_source_last_good_timestamp_seconds{Labels} {Now.AddHours(-2).ToUnixTimeMilliseconds() / 1000.0}", StringComparer.Ordinal);
        lines.ShouldContain($"atlassianbackup_source_size_bytes{Labels} 5368709120", StringComparer.Ordinal);
        lines.ShouldAllBe(line => line.StartsWith("# HELP atlassianbackup_", StringComparison.Ordinal) || line.StartsWith("# TYPE atlassianbackup_", StringComparison.Ordinal) || line.StartsWith("atlassianbackup_", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_is_not_known_has_no_number()
    {
        var text = await File.ReadAllTextAsync(await PrometheusAsync(Reports()), Token);
        text.ShouldContain("atlassianbackup_source_fresh{destination=\"s3://acme/backup\",system=\"jira\",source=\"jira\"} 0\n");
        text.ShouldNotContain("last_good_timestamp_seconds{destination=\"s3://acme/backup\",system=\"jira\"");
        text.ShouldContain("atlassianbackup_destination_readable{destination=\"/mnt/gone\"} 0\n");
        text.ShouldContain("atlassianbackup_destination_readable{destination=\"s3://acme/backup\"} 1\n");
        text.ShouldEndWith("\n");
    }

    [Fact]
    public async Task A_file_is_replaced_whole_or_not_at_all()
    {
        var path = _directory.Combine("backup.prom");
        await File.WriteAllTextAsync(path, "before", Token);
        await Should.ThrowAsync<InvalidOperationException>(() => ReportFile.WriteAsync(
            path,
            async (stream, token) =>
            {
                await stream.WriteAsync("half"u8.ToArray(), token);
                await stream.FlushAsync(token);
                // A collector reads *.prom at any time.
                Directory.GetFiles(_directory.Path, "*.prom").ShouldBe([path]);
                (await File.ReadAllTextAsync(path, token)).ShouldBe("before");
                throw new InvalidOperationException();
            },
            Token));
        (await File.ReadAllTextAsync(path, Token)).ShouldBe("before");
        Directory.GetFiles(_directory.Path).ShouldBe([path]);

        await ReportFile.WriteAsync(path, async (stream, token) => await stream.WriteAsync("after"u8.ToArray(), token), Token);
        (await File.ReadAllTextAsync(path, Token)).ShouldBe("after");
    }

    [Fact]
    public async Task A_file_that_cannot_be_written_is_named()
    {
        var path = _directory.Combine("none", "report.html");
        var failure = await Should.ThrowAsync<BackupException>(() => ReportFile.WriteAsync(path, (_, _) => Task.CompletedTask, Token));
        (failure.Kind, failure.Message.Contains(path, StringComparison.Ordinal)).ShouldBe((FailureKind.NotFound, true));
        (await Should.ThrowAsync<BackupException>(() => ReportFile.WriteAsync(_directory.Path, (_, _) => Task.CompletedTask, Token))).Kind.ShouldBe(FailureKind.InvalidInput);
    }

    // The rules are those of the specification of the embedded metric format.
    [Fact]
    public void CloudWatch_lines_keep_the_rules_of_their_format()
    {
        var lines = Reports().SelectMany(report => EmbeddedMetrics.Lines(Now, report)).ToList();
        lines.Count.ShouldBe(4);
        foreach (var line in lines)
        {
            line.ShouldNotContain("\n");
            using var document = JsonDocument.Parse(line);
            var root = document.RootElement;
            root.GetProperty("_aws").GetProperty("Timestamp").GetInt64().ShouldBe(Now.ToUnixTimeMilliseconds());
            var directive = root.GetProperty("_aws").GetProperty("CloudWatchMetrics").EnumerateArray().ShouldHaveSingleItem();
            directive.GetProperty("Namespace").GetString().ShouldBe("AtlassianBackup");
            // Target members: dimensions are strings of the root, metrics are numbers of it.
            foreach (var name in directive.GetProperty("Dimensions").EnumerateArray().ShouldHaveSingleItem().EnumerateArray())
            {
                var value = root.GetProperty(name.GetString()!).GetString().ShouldNotBeNull();
                value.Length.ShouldBeInRange(1, 1024);
                value.ShouldAllBe(c => c >= ' ' && c <= '~');
            }

            foreach (var metric in directive.GetProperty("Metrics").EnumerateArray())
            {
                root.GetProperty(metric.GetProperty("Name").GetString()!).ValueKind.ShouldBe(JsonValueKind.Number);
                metric.GetProperty("Unit").GetString().ShouldBeOneOf("Seconds", "Bytes", "Count");
            }
        }

        lines[1].ShouldContain("\"Fresh\":1");
        lines[1].ShouldContain("\"Age\":7200");
        lines[1].ShouldContain("C:\\\\data%0A");
        lines[2].ShouldContain("\"Fresh\":0");
        lines[2].ShouldNotContain("\"Age\"");
        lines[3].ShouldContain("\"Readable\":0");
    }

    private async Task<string> PrometheusAsync(IReadOnlyList<DestinationReport> reports)
    {
        var path = _directory.Combine("backup.prom");
        await ReportFile.WriteAsync(path, (stream, token) => PrometheusMetrics.WriteAsync(stream, Now, reports, token), Token);
        (await File.ReadAllBytesAsync(path, Token)).AsSpan().StartsWith(Encoding.UTF8.Preamble).ShouldBeFalse();
        return path;
    }

    private static IReadOnlyList<DestinationReport> Reports() =>
    [
        new()
        {
            Destination = "s3://acme/backup",
            Sources =
            [
                Source("folders", Hostile, SourceState.Fresh) with { LastGood = Now.AddHours(-2), LastGoodRunId = "1", TotalBytes = 5L << 30, TotalObjects = 7, Duration = TimeSpan.FromSeconds(61) },
                Source("jira", "jira", SourceState.Missing),
            ],
        },
        new() { Destination = "/mnt/gone", Failure = "It is not there.", Kind = FailureKind.NotFound },
    ];

    private static SourceReport Source(string system, string name, SourceState state) => new()
    {
        Destination = "s3://acme/backup",
        System = system,
        SourceName = name,
        State = state,
        Checked = Now,
        Interval = TimeSpan.FromDays(1),
    };
}
