using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Backup.Engine.Stores;
using Backup.TestServers.CodeArtifact;
using Backup.TestServers.Lambda;

namespace Backup.Engine.Tests.Host;

/// <summary>The host as a function: its process, and the runtime API that gives it events.</summary>
internal sealed class LambdaFunction : IAsyncDisposable
{
    /// <summary>More than any event here needs.</summary>
    public static readonly TimeSpan Long = TimeSpan.FromMinutes(2);

    private readonly HostProgram _host;
    private readonly LambdaServer _server;

    private LambdaFunction(HostProgram host, LambdaServer server, StoreLocation store, StoreOptions storeOptions) => (_host, _server, Store, StoreOptions) = (host, server, store, storeOptions);

    /// <summary>Where packages come from; disposed of with the function.</summary>
    public CodeArtifactServer? CodeArtifact { get; set; }

    public StoreLocation Store { get; }

    public StoreOptions StoreOptions { get; }

    public IReadOnlyList<string> Output => _host.Output;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>Starts it as Lambda does: without arguments.</summary>
    public static async Task<LambdaFunction> StartAsync(string handler, IReadOnlyDictionary<string, string?> environment, StoreLocation store, StoreOptions storeOptions, params string[] arguments)
    {
        var server = await LambdaServer.StartAsync();
        var all = new Dictionary<string, string?>(environment, StringComparer.Ordinal)
        {
            ["AWS_LAMBDA_RUNTIME_API"] = server.Authority,
            ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] = "512",
            ["_HANDLER"] = handler,
        };
        return new(HostProgram.Start(all, arguments), server, store, storeOptions);
    }

    public Task<LambdaAnswer> InvokeAsync(JsonNode body) => InvokeAsync(body.ToJsonString());

    public async Task<LambdaAnswer> InvokeAsync(string body, TimeSpan? timeout = null)
    {
        var answer = _server.InvokeAsync(body, timeout ?? Long, Stop);
        return await await Task.WhenAny(answer, _server.StartError).WaitAsync(Long, Stop);
    }

    /// <summary>The log, each line of it JSON.</summary>
    public List<JsonObject> Log() => HostProgram.Lines(string.Join('\n', _host.Output));

    /// <summary>Ends it as Lambda does, between two events.</summary>
    public async Task<int> EndAsync()
    {
        if (OperatingSystem.IsWindows())
            return 0;
        _host.Signal(PosixSignal.SIGTERM);
        return (await _host.EndAsync()).ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        _server.Mistakes.ShouldBeEmpty();
        _host.Dispose();
        await _server.DisposeAsync();
        if (CodeArtifact is not null)
            await CodeArtifact.DisposeAsync();
    }
}
