using System.Text.Json.Nodes;
using Backup.Engine;
using Backup.Engine.Aws;
using Backup.Engine.GitHub;
using Backup.Engine.Stores;
using Microsoft.Extensions.Logging;

namespace Backup.Host.Lambda;

/// <summary>Backs up every repository that the token can see, whatever the event is: it comes from a schedule. The token is fetched anew each time, so that it may be changed.</summary>
internal sealed class GitHubFunction(LambdaLog log) : IFunction
{
    private readonly StoreLocation _destination = FunctionSettings.Store("BACKUP_DESTINATION");
    private readonly AwsSecretReference _token = FunctionSettings.Secret("TOKEN_GITHUB");
    private readonly bool _isOwnerOnly = GitHubEnvironment.IsOwnerOnly(null);
    // As GitHub's own runners name it.
    private readonly Uri _api = FunctionSettings.Address("GITHUB_API_URL") ?? GitHubConnection.DefaultApiUri;

    /// <inheritdoc/>
    public async Task<JsonNode> HandleAsync(Invocation invocation, CancellationToken cancellationToken)
    {
        var token = await _token.ResolveAsync(new(), log.Logger, cancellationToken);
        var options = new GitHubBackupOptions
        {
            List = new()
            {
                Connection = new() { ApiUri = _api, Credential = GitHubCredential.ForToken(token) },
                Affiliation = _isOwnerOnly ? ["owner"] : [],
            },
            Destination = _destination,
            Store = new() { Logger = log.Logger },
            Logger = log.Logger,
        };
        var tally = new FunctionTally("repositories");
        await foreach (var result in GitHubBackup.RunAsync(options, cancellationToken: cancellationToken))
        {
            log.Write(result.Outcome == Outcome.Failed ? LogLevel.Error : LogLevel.Information, $"{result.FullName}: {result.Outcome}. {result.Reason}".TrimEnd(), result);
            tally.Add(result.FullName, result.Outcome, result.Bytes, result.Kind, result.Reason, result.Advice);
        }

        return tally.ToAnswer();
    }
}
