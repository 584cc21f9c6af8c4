using System.Globalization;
using Backup.Engine.GitHub;

namespace Backup.Engine.Plans;

/// <summary>Looks at a GitHub token: whose it is, what it may do, and how long it lasts.</summary>
internal static class GitHubTokenCheck
{
    // Classic tokens say what they may do; fine-grained ones and those of Apps do not (https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/scopes-for-oauth-apps).
    private const string ScopesHeader = "X-OAuth-Scopes";

    // Only tokens that end have it (seen at https://github.com/nearform/github-snooze-chrome-extension/issues/11): 2026-12-31 00:00:00 UTC.
    private const string ExpirationHeader = "GitHub-Authentication-Token-Expiration";

    private static readonly TimeSpan Soon = TimeSpan.FromDays(14);

    /// <summary>Looks.</summary>
    public static async Task RunAsync(GitHubClient client, TimeProvider time, JobChecks checks, CancellationToken cancellationToken)
    {
        if (client.Connection.Credential is not { } credential)
        {
            checks.Warning("Token", "There is no token: GitHub then answers 60 requests an hour, and shows what is public alone.", "Add 'token' to the job, or set TOKEN_GITHUB.");
            return;
        }

        if (credential.App is not null)
        {
            await checks.TryAsync("Token", async () => { await client.Tokens.GetAsync(cancellationToken); return $"{credential} gives tokens."; }, cancellationToken);
            return;
        }

        HttpResponseMessage? answer = null;
        try
        {
            await checks.TryAsync(
                "Token",
                async () =>
                {
                    answer = await client.DownloadAsync(Operation.GetAuthenticatedUser, [], client.Connection.Accept, cancellationToken);
                    await using var body = await answer.Content.ReadAsStreamAsync(cancellationToken);
                    var user = await GitHubClient.DeserializeAsync(body, GitHubJson.Default.SimpleUser, Operation.GetAuthenticatedUser, cancellationToken);
                    return $"It is {user.Login}'s{(Header(answer, ScopesHeader) is { Length: > 0 } scopes ? $", with {scopes}" : "")}.";
                },
                cancellationToken);
            if (answer is not null)
            {
                CheckScopes(Header(answer, ScopesHeader), checks);
                CheckEnd(Header(answer, ExpirationHeader), time, checks);
            }
        }
        finally
        {
            answer?.Dispose();
        }
    }

    private static void CheckScopes(string? header, JobChecks checks)
    {
        if (header is null)
        {
            checks.NotChecked("Permissions", "A fine-grained token does not tell what it may do.", "It needs read access to contents, issues, pull requests, metadata and administration of the repositories.");
            return;
        }

        var scopes = header.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (!scopes.Contains("repo", StringComparer.Ordinal))
            checks.Warning("Permissions", "The token has no scope 'repo': private repositories are not seen.", "Make a token with the scopes repo and read:org.");
    }

    private static void CheckEnd(string? header, TimeProvider time, JobChecks checks)
    {
        if (header is null || !DateTimeOffset.TryParse(header.Replace(" UTC", "Z", StringComparison.Ordinal), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var end))
            return;
        if (end - time.GetUtcNow() < Soon)
            checks.Warning("Token", $"The token ends at {Reports.Words.Moment(end)}.", "Make a new one, and put it where the plan says.");
        else
            checks.Passed("Token", $"The token lasts until {Reports.Words.Moment(end)}.");
    }

    private static string? Header(HttpResponseMessage answer, string name) => answer.Headers.TryGetValues(name, out var values) ? string.Join(", ", values) : null;
}
