namespace Backup.TestServers.GitHub;

/// <summary>How the loopback GitHub is started.</summary>
public sealed record GitHubOptions
{
    /// <summary>0: any free port.</summary>
    public int Port { get; init; }

    /// <summary>The token of <see cref="Login"/>. It opens everything that is there.</summary>
    public string Token { get; init; } = "ghp_loopbackTokenOfTheTests0123456789abcd";

    /// <summary>The user that the token belongs to.</summary>
    public string Login { get; init; } = "octocat";

    /// <summary>Where the bare repositories are; a directory of its own under the temporary one by default.</summary>
    public string? DataDirectory { get; init; }

    /// <summary>Added to every request: a simulated round trip.</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>The primary limit of a token, in requests an hour.</summary>
    public int RateLimit { get; init; } = 1_000_000;

    /// <summary>The secondary limit on requests that create content, in requests a minute; GitHub has 80.</summary>
    public int ContentLimit { get; init; } = int.MaxValue;

    /// <summary>What info/refs answered is kept until the repository's refs change: for benchmarks, where the server's own processes must not be what is measured.</summary>
    public bool CacheAdvertisements { get; init; }
}
