using System.Diagnostics;
using Backup.Engine.Tests.Fixtures;

[assembly: AssemblyFixture(typeof(MotoServer))]

namespace Backup.Engine.Tests.Fixtures;

/// <summary>
/// moto_server. It verifies no signatures and no checksums, so it proves shapes and errors; the strict server of our own proves the rest.
/// Where it is not installed tests are skipped; under CI that is a failure.
/// </summary>
public sealed class MotoServer() : PeerServer("moto_server", TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(5))
{
    /// <inheritdoc/>
    protected override Task<(string Program, Func<int, string[]> Arguments)> PrepareAsync()
    {
        if (PeerProgram.Find("moto_server") is { } path)
            return Task.FromResult<(string, Func<int, string[]>)>((path, port => ["-H", "127.0.0.1", "-p", $"{port}"]));
        if (string.Equals(Environment.GetEnvironmentVariable("CI"), "true", StringComparison.OrdinalIgnoreCase))
            Assert.Fail("moto_server is not on the PATH, and under CI it must be: pip install 'moto[server]'.");
        Assert.Skip("moto_server is not on the PATH: pip install 'moto[server]'.");
        throw new UnreachableException();
    }

    /// <inheritdoc/>
    protected override async Task<bool> IsReadyAsync(HttpClient client, Uri endpoint)
    {
        using var answer = await client.GetAsync(new Uri(endpoint, "/moto-api/data.json"));
        return answer.IsSuccessStatusCode;
    }
}
