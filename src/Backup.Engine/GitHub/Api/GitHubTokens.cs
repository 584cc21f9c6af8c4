using System.Net.Http.Headers;
using Backup.Engine.Http;

namespace Backup.Engine.GitHub;

/// <summary>The token of the moment: the one that was given, or an installation's, which is made anew before its hour is over.</summary>
internal sealed class GitHubTokens(GitHubConnection connection, HttpSender http, TimeProvider time)
{
    private static readonly TimeSpan Margin = TimeSpan.FromMinutes(10);

    private readonly SemaphoreSlim _making = new(1, 1);
    private InstallationToken? _installation;

    /// <summary>Whether a token that is refused may only be too old.</summary>
    public bool CanRenew => connection.Credential?.App is not null;

    /// <summary>The token, or null where there is none.</summary>
    /// <exception cref="BackupException">The App's key was refused, or GitHub does not answer.</exception>
    public async ValueTask<string?> GetAsync(CancellationToken cancellationToken)
    {
        if (connection.Credential is not { App: { } app })
            return connection.Credential?.Token;
        if (_installation is { } current && current.ExpiresAt - time.GetUtcNow() > Margin)
            return current.Token;
        await _making.WaitAsync(cancellationToken);
        try
        {
            if (_installation is { } made && made.ExpiresAt - time.GetUtcNow() > Margin)
                return made.Token;
            _installation = await MakeAsync(app, cancellationToken);
            return _installation.Token;
        }
        finally
        {
            _making.Release();
        }
    }

    /// <summary>A token was refused: the next one is a new one.</summary>
    public void Forget(string? token)
    {
        if (_installation?.Token == token)
            _installation = null;
    }

    private async Task<InstallationToken> MakeAsync(GitHubAppKey app, CancellationToken cancellationToken)
    {
        var operation = Operation.CreateInstallationToken;
        var address = new Uri(connection.BaseUri, operation.Path([app.InstallationId]));
        using var response = await http.SendAsync(
            () =>
            {
                var request = new HttpRequestMessage(operation.Method, address);
                request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", app.SignJwt(time.GetUtcNow()));
                request.Headers.TryAddWithoutValidation("Accept", connection.Accept);
                request.Headers.TryAddWithoutValidation(GitHubClient.VersionHeader, GitHubClient.ApiVersion);
                return request;
            },
            new() { Repeatable = true, BufferUpTo = 1 << 20 },
            cancellationToken);
        if (!response.IsSuccessStatusCode)
            throw await HttpFailure.OfAsync(response, $"The token for installation {app.InstallationId} of the GitHub App {app.AppId}", "Check the App's id, the installation's id, the private key and this machine's clock.", cancellationToken);
        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        return await GitHubClient.DeserializeAsync(body, GitHubJson.Default.InstallationToken, operation, cancellationToken);
    }
}
