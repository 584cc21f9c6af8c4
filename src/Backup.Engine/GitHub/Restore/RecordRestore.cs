using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Backup.Engine.Runs;
using Backup.Engine.Stores;
using Microsoft.Extensions.Logging;

namespace Backup.Engine.GitHub;

/// <summary>
/// Gives records back to a repository on GitHub. Numbers, authors and times cannot be set there: the text says who wrote it and when, and a
/// marker says what it was. What is there already is found by it, or by its name, and is not made twice.
/// </summary>
internal sealed partial class RecordRestore(GitHubClient client, IObjectStore store, KnownRepository source, string owner, string name, ILogger? logger)
{
    private readonly Dictionary<int, int> _milestones = [];
    private readonly Dictionary<int, int> _issues = [];
    private readonly HashSet<int> _tried = [];
    private readonly List<RunFailure> _failures = [];
    private readonly List<string> _notRestored = [];

    public int Labels { get; private set; }

    public int Milestones { get; private set; }

    public int Issues { get; private set; }

    public int Comments { get; private set; }

    public int Releases { get; private set; }

    public int Assets { get; private set; }

    /// <summary>Numbers then and now.</summary>
    public IReadOnlyDictionary<int, int> IssueMap => _issues;

    public IReadOnlyList<RunFailure> Failures => _failures;

    /// <summary>What is in the backup and was not given back, with how much of it.</summary>
    public IReadOnlyList<string> NotRestored => _notRestored;

    private object[] Target => [owner, name];

    /// <summary>Restores what was asked for.</summary>
    public async Task RunAsync(GitHubContent content, CancellationToken cancellationToken)
    {
        if (content.HasFlag(GitHubContent.Settings))
            await TopicsAsync(cancellationToken);
        if ((content & (GitHubContent.Issues | GitHubContent.PullRequests)) != GitHubContent.None)
        {
            await LabelsAsync(cancellationToken);
            await MilestonesAsync(cancellationToken);
            await IssuesAsync(content, cancellationToken);
            var there = await CommentsThereAsync(cancellationToken);
            await CommentsAsync(there, cancellationToken);
            if (content.HasFlag(GitHubContent.PullRequests))
                await ReviewsAsync(there, cancellationToken);
        }

        if (content.HasFlag(GitHubContent.Releases))
            await ReleasesAsync(cancellationToken);
        await TellNotRestoredAsync(content, cancellationToken);
    }

    private async Task TopicsAsync(CancellationToken cancellationToken)
    {
        await foreach (var element in ReadAsync("settings", "id", cancellationToken))
        {
            var settings = Read(element, GitHubJson.Default.MinimalRepository);
            var now = await client.GetAsync(Operation.GetRepository, Target, GitHubJson.Default.MinimalRepository, cancellationToken);
            if (settings.Topics is { Count: > 0 } topics && !topics.Order(StringComparer.Ordinal).SequenceEqual((now.Topics ?? []).Order(StringComparer.Ordinal), StringComparer.Ordinal))
                await client.WriteAsync(Operation.ReplaceTopics, Target, new() { ["names"] = new JsonArray([.. topics.Select(topic => (JsonNode)topic)]) }, cancellationToken);
        }
    }

    private async Task LabelsAsync(CancellationToken cancellationToken)
    {
        var there = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        await foreach (var label in client.ListAsync(Operation.ListLabels, Target, "?per_page=100", null, cancellationToken))
            there.Add(Read(label, GitHubJson.Default.Label).Name);
        await foreach (var element in ReadAsync("labels", "id", cancellationToken))
        {
            var label = Read(element, GitHubJson.Default.Label);
            if (!there.Add(label.Name))
                continue;
            await TryAsync($"label '{label.Name}'", async () =>
            {
                await client.WriteAsync(Operation.CreateLabel, Target, Compact(new() { ["name"] = label.Name, ["color"] = label.Color, ["description"] = label.Description }), cancellationToken);
                Labels++;
            });
        }
    }

    private async Task MilestonesAsync(CancellationToken cancellationToken)
    {
        var there = new Dictionary<string, int>(StringComparer.Ordinal);
        await foreach (var element in client.ListAsync(Operation.ListMilestones, Target, "?state=all&per_page=100", null, cancellationToken))
        {
            var milestone = Read(element, GitHubJson.Default.Milestone);
            there[milestone.Title] = milestone.Number ?? 0;
        }

        await foreach (var element in ReadAsync("milestones", "number", cancellationToken))
        {
            var milestone = Read(element, GitHubJson.Default.Milestone);
            if (!there.TryGetValue(milestone.Title, out var number))
            {
                var made = await TryAsync($"milestone '{milestone.Title}'", () => client.WriteAsync(
                    Operation.CreateMilestone,
                    Target,
                    Compact(new() { ["title"] = milestone.Title, ["state"] = milestone.State, ["description"] = milestone.Description, ["due_on"] = milestone.DueOn is { } due ? RecordCollector.Stamp(due) : null }),
                    cancellationToken));
                if (made is not { } created)
                    continue;
                number = created.GetProperty("number").GetInt32();
                Milestones++;
            }

            _milestones[milestone.Number ?? 0] = number;
        }
    }

    private async Task IssuesAsync(GitHubContent content, CancellationToken cancellationToken)
    {
        var closed = new HashSet<int>();
        await foreach (var element in client.ListAsync(Operation.ListIssues, Target, "?state=all&sort=created&direction=asc&per_page=100", null, cancellationToken))
        {
            var issue = Read(element, GitHubJson.Default.Issue);
            if (RestoreMarker.SourceOf(issue.Body) is not { } from || RestoreMarker.IssueOf(from, source.FullName) is not { } old)
                continue;
            _issues[old] = issue.Number;
            if (issue.State == "closed")
                closed.Add(issue.Number);
        }

        await foreach (var element in ReadAsync("issues", "number", cancellationToken))
        {
            var issue = Read(element, GitHubJson.Default.Issue);
            if (content.HasFlag(issue.PullRequest is null ? GitHubContent.Issues : GitHubContent.PullRequests))
                await IssueAsync(issue, issue.PullRequest is not null, closed, cancellationToken);
        }

        // Where issues are turned off, or were not backed up, pull requests are known by themselves alone.
        if (content.HasFlag(GitHubContent.PullRequests) && source.Records.TryGetValue("pulls", out var pulls))
        {
            await foreach (var element in RecordReader.NewestAsync(store, pulls.Files, "number", cancellationToken))
            {
                if (Read(element, GitHubJson.Default.Issue) is var pull && !_issues.ContainsKey(pull.Number) && _tried.Add(pull.Number))
                    await IssueAsync(pull, isPull: true, closed, cancellationToken);
            }
        }
    }

    private async Task IssueAsync(Issue issue, bool isPull, HashSet<int> closed, CancellationToken cancellationToken)
    {
        _tried.Add(issue.Number);
        await TryAsync($"issue {issue.Number}", async () =>
        {
            if (!_issues.TryGetValue(issue.Number, out var number))
            {
                number = await CreateIssueAsync(issue, isPull, cancellationToken);
                _issues[issue.Number] = number;
                Issues++;
            }

            if (issue.State == "closed" && closed.Add(number))
                await client.WriteAsync(Operation.UpdateIssue, [owner, name, number], Compact(new() { ["state"] = "closed", ["state_reason"] = issue.StateReason }), cancellationToken);
        });
    }

    private async Task<int> CreateIssueAsync(Issue issue, bool isPull, CancellationToken cancellationToken)
    {
        var text = RestoreMarker.Text(
            $"{source.FullName}#{issue.Number.ToString(CultureInfo.InvariantCulture)}",
            issue.User?.Login,
            issue.CreatedAt,
            isPull ? $"opened this as pull request #{issue.Number} of {source.FullName} (its commits: branch restored/pr/{issue.Number})" : $"opened this as #{issue.Number} of {source.FullName}",
            issue.Body);
        var body = new JsonObject { ["title"] = issue.Title, ["body"] = text };
        if (LabelNames(issue) is { Count: > 0 } labels)
            body["labels"] = new JsonArray([.. labels.Select(label => (JsonNode)label)]);
        if (issue.Milestone?.Number is { } milestone && _milestones.TryGetValue(milestone, out var there))
            body["milestone"] = there;
        var made = await client.WriteAsync(Operation.CreateIssue, Target, body, cancellationToken);
        return made.GetProperty("number").GetInt32();
    }

    // The schema allows labels to be names alone.
    private static List<string> LabelNames(Issue issue) =>
        [.. (issue.Labels ?? []).Select(label => label.ValueKind == JsonValueKind.String ? label.GetString() : label.TryGetProperty("name", out var name) ? name.GetString() : null).OfType<string>()];

    private async Task<HashSet<string>> CommentsThereAsync(CancellationToken cancellationToken)
    {
        var there = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        string[] kinds = ["issue-comments", "reviews", "review-comments"];
        if (!kinds.Any(kind => source.Records.TryGetValue(kind, out var state) && state.Files.Count > 0))
            return there;
        await foreach (var element in client.ListAsync(Operation.ListIssueComments, Target, "?sort=created&direction=asc&per_page=100", null, cancellationToken))
        {
            if (RestoreMarker.SourceOf(Read(element, GitHubJson.Default.IssueComment).Body) is { } from)
                there.Add(from);
        }

        return there;
    }

    private async Task CommentsAsync(HashSet<string> there, CancellationToken cancellationToken)
    {
        await foreach (var element in ReadAsync("issue-comments", "id", cancellationToken))
        {
            var comment = Read(element, GitHubJson.Default.IssueComment);
            var from = $"{source.FullName} comment {comment.Id.ToString(CultureInfo.InvariantCulture)}";
            await CommentAsync(there, from, comment.IssueUrl, () => RestoreMarker.Text(from, comment.User?.Login, comment.CreatedAt, "wrote", comment.Body), cancellationToken);
        }
    }

    private async Task CommentAsync(HashSet<string> there, string from, string? url, Func<string> text, CancellationToken cancellationToken)
    {
        if (there.Contains(from) || url is null || !int.TryParse(url[(url.LastIndexOf('/') + 1)..], CultureInfo.InvariantCulture, out var old))
            return;
        // Its issue was not wanted, or could not be made, which has been told.
        if (!_issues.TryGetValue(old, out var number))
            return;
        await TryAsync($"{from[(source.FullName.Length + 1)..]} of issue {old}", async () =>
        {
            await client.WriteAsync(Operation.CreateIssueComment, [owner, name, number], new() { ["body"] = text() }, cancellationToken);
            Comments++;
        });
    }

    private async Task ReleasesAsync(CancellationToken cancellationToken)
    {
        if (!source.Records.TryGetValue("releases", out var state) || state.Files.Count == 0)
            return;
        var there = new Dictionary<string, Release>(StringComparer.Ordinal);
        await foreach (var element in client.ListAsync(Operation.ListReleases, Target, "?per_page=100", null, cancellationToken))
        {
            var release = Read(element, GitHubJson.Default.Release);
            there[release.TagName] = release;
        }

        // The file has the newest first, and so would the restored ones have the wrong order.
        var wanted = new List<Release>();
        await foreach (var element in RecordReader.FileAsync(store, state.Files[^1], cancellationToken))
            wanted.Add(Read(element, GitHubJson.Default.Release));
        wanted.Reverse();
        foreach (var release in wanted)
        {
            await TryAsync($"release '{release.TagName}'", async () =>
            {
                if (!there.TryGetValue(release.TagName, out var target))
                {
                    target = Read(await client.WriteAsync(Operation.CreateRelease, Target, ReleaseBody(release), cancellationToken), GitHubJson.Default.Release);
                    Releases++;
                }

                foreach (var asset in release.Assets.Where(asset => source.Assets.ContainsKey(asset.Id) && !target.Assets.Any(other => other.Name == asset.Name)))
                    await AssetAsync(target, asset, cancellationToken);
            });
        }
    }

    private static JsonObject ReleaseBody(Release release) => Compact(new()
    {
        ["tag_name"] = release.TagName,
        ["target_commitish"] = release.TargetCommitish,
        ["name"] = release.Name,
        ["body"] = release.PublishedAt is { } time
            ? string.Create(CultureInfo.InvariantCulture, $"> **{release.Author?.Login ?? "ghost"}** published this on {time.UtcDateTime:yyyy-MM-dd HH:mm} UTC.\n\n{release.Body}")
            : release.Body,
        ["draft"] = release.Draft,
        ["prerelease"] = release.Prerelease,
    });

    private Task AssetAsync(Release target, ReleaseAsset asset, CancellationToken cancellationToken) => TryAsync($"asset '{asset.Name}' of release '{target.TagName}'", async () =>
    {
        await using var content = await store.ReadAsync(source.Assets[asset.Id], null, cancellationToken);
        await client.UploadAsync([owner, name, target.Id], asset, _ => Task.FromResult(content.Stream), content.Object.Size, cancellationToken);
        Assets++;
    });

    private IAsyncEnumerable<JsonElement> ReadAsync(string kind, string field, CancellationToken cancellationToken) =>
        source.Records.TryGetValue(kind, out var state) ? RecordReader.ReadAsync(store, state.Files, field, cancellationToken) : AsyncEnumerable.Empty<JsonElement>();

    private async Task TryAsync(string what, Func<Task> work) => await TryAsync(what, async () =>
    {
        await work();
        return default(JsonElement);
    });

    /// <summary>One item that GitHub refuses does not keep the others from being restored.</summary>
    private async Task<JsonElement?> TryAsync(string what, Func<Task<JsonElement>> work)
    {
        try
        {
            return await work();
        }
        catch (BackupException exception) when (exception.Kind is FailureKind.InvalidInput or FailureKind.AlreadyExists or FailureKind.NotFound or FailureKind.Archived)
        {
            logger?.LogDebug("{What}: {Reason}", what, exception.Message);
            _failures.Add(new($"{source.FullName} ({what})", exception.Kind, exception.Message));
            return null;
        }
    }

    private static T Read<T>(JsonElement element, JsonTypeInfo<T> type)
    {
        try
        {
            return element.Deserialize(type)!;
        }
        catch (JsonException exception)
        {
            throw new BackupException(FailureKind.Corrupt, $"A record is not what it should be: {exception.Message}", null, exception);
        }
    }

    private static JsonObject Compact(JsonObject body)
    {
        foreach (var key in body.Where(pair => pair.Value is null).Select(pair => pair.Key).ToList())
            body.Remove(key);
        return body;
    }
}
