using System.Diagnostics;
using System.Runtime.CompilerServices;
using Backup.Engine.Tests.Fixtures;
using Backup.Engine.Tests.GitHub.OpenApi;

[assembly: AssemblyFixture(typeof(PrismServer))]

namespace Backup.Engine.Tests.GitHub.OpenApi;

/// <summary>
/// Prism with GitHub's own OpenAPI description. npm installs both, at the versions that package.json pins, into obj; where there is no npm the tests are
/// skipped, and say so.
/// </summary>
public sealed class PrismServer() : PeerServer("Prism", TimeSpan.FromMinutes(3), TimeSpan.FromSeconds(30))
{
    private static readonly TimeSpan InstallDeadline = TimeSpan.FromMinutes(5);

    /// <inheritdoc/>
    protected override async Task<(string Program, Func<int, string[]> Arguments)> PrepareAsync()
    {
        if (PeerProgram.Find("node") is not { } node || PeerProgram.Find("npm") is null)
        {
            const string Reason = "GITHUB'S OPENAPI DESCRIPTION IS NOT CHECKED: node and npm are not installed.";
            TestContext.Current.SendDiagnosticMessage("*** {0} ***", Reason);
            Assert.Skip(Reason);
            throw new UnreachableException();
        }

        var folder = await InstallAsync();
        return (node, port =>
        [
            Path.Combine(folder, "node_modules/@stoplight/prism-cli/dist/index.js"), "mock", "-h", "127.0.0.1", "-p", $"{port}",
            Path.Combine(folder, "node_modules/@octokit/openapi/generated/api.github.com.json"),
        ]);
    }

    /// <inheritdoc/>
    protected override async Task<bool> IsReadyAsync(HttpClient client, Uri endpoint)
    {
        using var answer = await client.GetAsync(new Uri(endpoint, "user"));
        return true;
    }

    private static async Task<string> InstallAsync()
    {
        var source = SourceFolder();
        var folder = Path.GetFullPath(Path.Combine(source, "../../obj/openapi"));
        var wanted = await File.ReadAllTextAsync(Path.Combine(source, "package.json"));
        var done = Path.Combine(folder, "installed.json");
        if (File.Exists(done) && await File.ReadAllTextAsync(done) == wanted)
            return folder;
        Directory.CreateDirectory(folder);
        await File.WriteAllTextAsync(Path.Combine(folder, "package.json"), wanted);
        var npm = await PeerProgram.RunAsync("npm", ["install", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts"], workingDirectory: folder, deadline: InstallDeadline);
        npm.ExitCode.ShouldBe(0, npm.Error);
        await File.WriteAllTextAsync(done, wanted);
        return folder;
    }

    private static string SourceFolder([CallerFilePath] string file = "") => Path.GetDirectoryName(file)!;
}
