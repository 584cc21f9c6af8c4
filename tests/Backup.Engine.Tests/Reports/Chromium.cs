using System.Diagnostics;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Backup.Engine.Tests.Fixtures;

namespace Backup.Engine.Tests.Reports;

/// <summary>A headless Chromium, driven by the DevTools protocol (https://chromedevtools.github.io/devtools-protocol/).</summary>
internal sealed class Chromium : IAsyncDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    private readonly TemporaryDirectory _profile;
    private readonly Process _process;
    private readonly ClientWebSocket _socket = new();
    private readonly List<string> _requests = [];
    private int _id;

    private Chromium(TemporaryDirectory profile, Process process) => (_profile, _process) = (profile, process);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>The addresses of everything that was asked for, the page included.</summary>
    public IReadOnlyList<string> Requests => _requests;

    /// <summary>What the page complained of.</summary>
    public List<string> Complaints { get; } = [];

    /// <summary>Starts it; the test is skipped where there is none.</summary>
    public static async Task<Chromium> StartAsync()
    {
        var program = new[] { "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome" }.Select(PeerProgram.Find).FirstOrDefault(path => path is not null);
        if (program is null)
            TestContext.Current.SendDiagnosticMessage("*** THE REPORT IS NOT LOOKED AT: there is no Chromium ***");
        Assert.SkipWhen(program is null, "THE REPORT IS NOT LOOKED AT: there is no Chromium.");
        var profile = new TemporaryDirectory();
        string[] arguments =
        [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-extensions", "--disable-background-networking",
            "--disable-component-update", "--hide-scrollbars", "--remote-debugging-port=0", $"--user-data-dir={profile.Path}", "about:blank",
        ];
        var process = Process.Start(new ProcessStartInfo(program, arguments) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true })!;
        var chromium = new Chromium(profile, process);
        try
        {
            await chromium.ConnectAsync();
            return chromium;
        }
        catch
        {
            await chromium.DisposeAsync();
            throw;
        }
    }

    /// <summary>Opens a page on a screen of a size, as somebody who prefers dark or light sees it.</summary>
    public async Task OpenAsync(string path, int width, int height, bool dark)
    {
        _requests.Clear();
        Complaints.Clear();
        await CallAsync("Emulation.setDeviceMetricsOverride", new() { ["width"] = width, ["height"] = height, ["deviceScaleFactor"] = 1, ["mobile"] = width < 600 });
        await CallAsync("Emulation.setEmulatedMedia", new() { ["features"] = new JsonArray(new JsonObject { ["name"] = "prefers-color-scheme", ["value"] = dark ? "dark" : "light" }) });
        await CallAsync("Page.navigate", new() { ["url"] = new Uri(path).AbsoluteUri }, until: "Page.loadEventFired");
    }

    /// <summary>What an expression is on the page.</summary>
    public async Task<JsonNode?> EvaluateAsync(string expression)
    {
        var answer = await CallAsync("Runtime.evaluate", new() { ["expression"] = expression, ["returnByValue"] = true, ["awaitPromise"] = true });
        answer["exceptionDetails"].ShouldBeNull(expression);
        return answer["result"]?["value"];
    }

    /// <summary>Presses a key.</summary>
    public async Task PressAsync(string key, int code, string text = "")
    {
        await CallAsync("Input.dispatchKeyEvent", new() { ["type"] = "keyDown", ["key"] = key, ["windowsVirtualKeyCode"] = code, ["text"] = text });
        await CallAsync("Input.dispatchKeyEvent", new() { ["type"] = "keyUp", ["key"] = key, ["windowsVirtualKeyCode"] = code });
    }

    /// <summary>What accessibility tools are told: role and name of each node.</summary>
    public async Task<IReadOnlyList<(string Role, string Name)>> AccessibilityAsync()
    {
        var answer = await CallAsync("Accessibility.getFullAXTree", []);
        return [.. answer["nodes"]!.AsArray().Where(node => node!["ignored"]?.GetValue<bool>() != true).Select(node => (node!["role"]?["value"]?.ToString() ?? "", node["name"]?["value"]?.ToString() ?? ""))];
    }

    /// <summary>A picture of the whole page, PNG.</summary>
    public async Task<byte[]> ScreenshotAsync()
    {
        var answer = await CallAsync("Page.captureScreenshot", new() { ["format"] = "png", ["captureBeyondViewport"] = true });
        return Convert.FromBase64String(answer["data"]!.GetValue<string>());
    }

    public async ValueTask DisposeAsync()
    {
        _socket.Dispose();
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        using var timeout = new CancellationTokenSource(Deadline);
        await _process.WaitForExitAsync(timeout.Token);
        _process.Dispose();
        try
        {
            _profile.Dispose();
        }
        catch (IOException)
        {
            // A process of its own may still be writing its last words.
        }
    }

    private async Task ConnectAsync()
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(Token);
        timeout.CancelAfter(Deadline);
        var browser = await ListeningAsync(timeout.Token);
        // Pipes that nobody empties would stop it.
        _ = _process.StandardOutput.BaseStream.CopyToAsync(Stream.Null, CancellationToken.None);
        _ = _process.StandardError.BaseStream.CopyToAsync(Stream.Null, CancellationToken.None);
        using var http = new HttpClient();
        var pages = JsonNode.Parse(await http.GetStringAsync($"http://{browser.Authority}/json/list", timeout.Token))!.AsArray();
        var page = pages.First(target => target!["type"]!.GetValue<string>() == "page")!;
        await _socket.ConnectAsync(new Uri(page["webSocketDebuggerUrl"]!.GetValue<string>()), timeout.Token);
        foreach (var domain in new[] { "Page", "Network", "Log", "Runtime", "Accessibility" })
            await CallAsync($"{domain}.enable", []);
    }

    private async Task<Uri> ListeningAsync(CancellationToken cancellationToken)
    {
        const string Mark = "DevTools listening on ";
        var said = new StringBuilder();
        while (await _process.StandardError.ReadLineAsync(cancellationToken) is { } line)
        {
            if (line.StartsWith(Mark, StringComparison.Ordinal))
                return new(line[Mark.Length..]);
            said.AppendLine(line);
        }

        throw new InvalidOperationException($"Chromium did not start: {said}");
    }

    private async Task<JsonObject> CallAsync(string method, JsonObject parameters, string? until = null)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(Token);
        timeout.CancelAfter(Deadline);
        var id = ++_id;
        var call = new JsonObject { ["id"] = id, ["method"] = method, ["params"] = parameters };
        await _socket.SendAsync(Encoding.UTF8.GetBytes(call.ToJsonString()), WebSocketMessageType.Text, true, timeout.Token);
        JsonObject? result = null;
        while (result is null || until is not null)
        {
            var message = await ReceiveAsync(timeout.Token);
            if (message["id"]?.GetValue<int>() == id)
            {
                message["error"].ShouldBeNull($"{method}: {message["error"]?.ToJsonString()}");
                result = message["result"]!.AsObject();
            }
            else if (message["method"]?.GetValue<string>() is { } name)
            {
                Note(name, message["params"]!);
                if (name == until)
                    until = null;
            }
        }

        return result;
    }

    private void Note(string method, JsonNode parameters)
    {
        switch (method)
        {
            case "Network.requestWillBeSent":
                _requests.Add(parameters["request"]!["url"]!.GetValue<string>());
                break;
            case "Log.entryAdded":
                Complaints.Add(parameters["entry"]!["text"]!.GetValue<string>());
                break;
            case "Runtime.exceptionThrown" or "Runtime.consoleAPICalled" or "Page.javascriptDialogOpening":
                Complaints.Add(parameters.ToJsonString());
                break;
        }
    }

    private async Task<JsonObject> ReceiveAsync(CancellationToken cancellationToken)
    {
        using var buffer = new MemoryStream();
        var block = new byte[64 << 10];
        ValueWebSocketReceiveResult part;
        do
        {
            part = await _socket.ReceiveAsync(block.AsMemory(), cancellationToken);
            buffer.Write(block, 0, part.Count);
        }
        while (!part.EndOfMessage);
        return JsonSerializer.Deserialize<JsonObject>(buffer.ToArray())!;
    }
}

/// <summary>One browser for the tests of a class, started by the first that needs it.</summary>
public sealed class ChromiumFixture : IAsyncDisposable
{
    private Chromium? _chromium;

    internal async Task<Chromium> StartAsync() => _chromium ??= await Chromium.StartAsync();

    public ValueTask DisposeAsync() => _chromium?.DisposeAsync() ?? ValueTask.CompletedTask;
}
