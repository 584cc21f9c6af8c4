using System.Globalization;
using Backup.Engine.Stores;

namespace Backup.Engine.GitHub;

/// <content>What GitHub has no way to take as what it was: reviews become comments, and the rest is told.</content>
internal sealed partial class RecordRestore
{
    // A page of its own in GitHub's settings, or of no worth in another repository.
    private static readonly (string Kind, GitHubContent Content, string One, string Many)[] NeverRestored =
    [
        ("branch-protections", GitHubContent.Settings, "protected branch", "protected branches"),
        ("rulesets", GitHubContent.Settings, "ruleset", "rulesets"),
        ("webhooks", GitHubContent.Settings, "webhook", "webhooks"),
        ("environments", GitHubContent.Settings, "environment", "environments"),
        ("issue-events", GitHubContent.Issues, "issue event", "issue events"),
    ];

    private async Task ReviewsAsync(HashSet<string> there, CancellationToken cancellationToken)
    {
        if (source.Records.TryGetValue("reviews", out var state))
        {
            await foreach (var element in RecordReader.NewestAsync(store, state.Files, "id", cancellationToken))
            {
                var review = Read(element, GitHubJson.Default.Review);
                // One that says nothing itself only holds comments on lines.
                if (string.IsNullOrEmpty(review.Body) && review.State is "COMMENTED" or "PENDING" or null)
                    continue;
                var did = review.State switch
                {
                    "APPROVED" => "approved this",
                    "CHANGES_REQUESTED" => "asked for changes",
                    "DISMISSED" => "reviewed this (the review was dismissed)",
                    _ => "reviewed this",
                };
                var from = $"{source.FullName} review {review.Id.ToString(CultureInfo.InvariantCulture)}";
                await CommentAsync(there, from, review.PullRequestUrl, () => RestoreMarker.Text(from, review.User?.Login, review.SubmittedAt ?? DateTimeOffset.UnixEpoch, did, review.Body), cancellationToken);
            }
        }

        await foreach (var element in ReadAsync("review-comments", "id", cancellationToken))
        {
            var comment = Read(element, GitHubJson.Default.Review);
            var place = comment.Path is { } path ? $"commented on `{path.Replace('`', '\'')}`{(comment.Line is { } line ? string.Create(CultureInfo.InvariantCulture, $", line {line},") : "")}" : "commented";
            var from = $"{source.FullName} review comment {comment.Id.ToString(CultureInfo.InvariantCulture)}";
            await CommentAsync(there, from, comment.PullRequestUrl, () => RestoreMarker.Text(from, comment.User?.Login, comment.CreatedAt ?? DateTimeOffset.UnixEpoch, place, comment.Body), cancellationToken);
        }
    }

    private async Task TellNotRestoredAsync(GitHubContent content, CancellationToken cancellationToken)
    {
        foreach (var (kind, belongsTo, one, many) in NeverRestored.Where(kind => content.HasFlag(kind.Content)))
        {
            if (source.Records.TryGetValue(kind, out var state) && state.Files.Count > 0 && await CountAsync(kind, state, cancellationToken) is > 0 and var count)
                _notRestored.Add(string.Create(CultureInfo.InvariantCulture, $"{count:N0} {(count == 1 ? one : many)}"));
        }
    }

    // What is read whole is in the newest file; events are added up.
    private async Task<long> CountAsync(string kind, RecordState state, CancellationToken cancellationToken)
    {
        var count = 0L;
        foreach (var file in kind == "issue-events" ? state.Files : [state.Files[^1]])
            count += await RecordReader.FileAsync(store, file, cancellationToken).LongCountAsync(cancellationToken);
        return count;
    }
}
