using System.Net;
using Backup.TestServers.GitHub.Faults;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Backup.TestServers.GitHub;

/// <summary>
/// A GitHub on the loopback address: real repositories over real smart HTTP, LFS, and the REST API, below <c>/</c> as at api.github.com and
/// below <c>/api/v3</c> as on an Enterprise Server. Shapes are those of GitHub's OpenAPI description (@octokit/openapi 23.0.2).
/// </summary>
public sealed class GitHubServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly GitHubServices _services;

    private GitHubServer(WebApplication app, GitHubServices services)
    {
        (_app, _services) = (app, services);
        Endpoint = services.Endpoint = new Uri(app.Urls.Single() + "/");
    }

    /// <summary>Ends with a slash. Repositories are below it: <c>{Endpoint}{owner}/{name}.git</c>.</summary>
    public Uri Endpoint { get; }

    /// <summary>The API as an Enterprise Server has it.</summary>
    public Uri ApiUri => new(Endpoint, "api/v3/");

    public string Token => _services.Options.Token;

    public GitHubWorld World => _services.World;

    public FaultScript Faults => _services.Faults;

    /// <summary>What POST /_control/{name} does.</summary>
    public Action<string>? Control
    {
        get => _services.Control;
        set => _services.Control = value;
    }

    /// <summary>Every request, in order of arrival.</summary>
    public IReadOnlyList<RequestRecord> Requests => [.. _services.Requests];

    public void ClearRequests() => _services.Requests.Clear();

    /// <summary>Every token that an App was given has expired.</summary>
    public void ExpireInstallationTokens() => _services.Callers.ExpireInstallations();

    /// <summary>The records of one repository, to fill.</summary>
    public RepositoryContent Content(GitHubRepository repository) => new(_services, repository);

    public GitHubRepository AddRepository(string fullName) => World.AddRepository(fullName);

    public Uri CloneUrl(GitHubRepository repository) => new(Endpoint, repository.FullName + ".git");

    public static async Task<GitHubServer> StartAsync(GitHubOptions? options = null, Action<RequestRecord>? answered = null)
    {
        options ??= new GitHubOptions();
        var directory = Path.Combine(options.DataDirectory ?? Path.GetTempPath(), "github-" + Guid.NewGuid().ToString("N"));
        Directory.CreateDirectory(directory);
        var services = new GitHubServices(options, directory) { Answered = answered };
        var app = Build(options, services);
        try
        {
            await app.StartAsync();
            return new GitHubServer(app, services);
        }
        catch
        {
            await app.DisposeAsync();
            Directory.Delete(directory, recursive: true);
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _services.Stopping.CancelAsync();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        await _app.StopAsync(patience.Token);
        await _app.DisposeAsync();
        Directory.Delete(_services.Directory, recursive: true);
        _services.Stopping.Dispose();
    }

    private static WebApplication Build(GitHubOptions options, GitHubServices services)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Listen(IPAddress.Loopback, options.Port, listen => listen.Protocols = HttpProtocols.Http1);
        });
        var app = builder.Build();
        app.Run(new GitHubHandler(services).HandleAsync);
        return app;
    }
}
