using System.Collections.Concurrent;
using Backup.TestServers.GitHub.Faults;

namespace Backup.TestServers.GitHub;

/// <summary>What the parts of the server share.</summary>
internal sealed class GitHubServices(GitHubOptions options, string directory)
{
    public GitHubOptions Options { get; } = options;

    public string Directory { get; } = directory;

    public GitHubWorld World { get; } = new(directory, options.Login);

    public FaultScript Faults { get; } = new();

    public ConcurrentQueue<RequestRecord> Requests { get; } = new();

    public Action<RequestRecord>? Answered { get; init; }

    public Action<string>? Control { get; set; }

    public Rest.Callers Callers { get; set; } = null!;

    public Uri Endpoint { get; set; } = new("http://127.0.0.1/");

    public CancellationTokenSource Stopping { get; } = new();
}
