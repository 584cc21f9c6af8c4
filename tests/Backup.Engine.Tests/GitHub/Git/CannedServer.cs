using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Backup.Engine.Tests.GitHub.Git;

/// <summary>What it answers to one path.</summary>
internal sealed record Canned(string ContentType, byte[] Body, int? SilentAfter = null, int Status = 200, string? Location = null);

/// <summary>A server that says the same thing whatever it is asked, and falls silent when it is told to. Remembers the heads of requests.</summary>
internal sealed class CannedServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Func<string, Canned?> _answer;
    private readonly Task _serving;

    public CannedServer(Func<string, Canned?> answer)
    {
        _answer = answer;
        _listener.Start();
        Endpoint = new Uri($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/");
        _serving = ServeAsync();
    }

    public Uri Endpoint { get; }

    public System.Collections.Concurrent.ConcurrentQueue<string> Heads { get; } = new();

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _serving;
        _stop.Dispose();
    }

    private async Task ServeAsync()
    {
        var clients = new List<Task>();
        try
        {
            while (true)
                clients.Add(AnswerAsync(await _listener.AcceptTcpClientAsync(_stop.Token)));
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(clients);
        }
    }

    private async Task AnswerAsync(TcpClient client)
    {
        using var _ = client;
        try
        {
            var stream = client.GetStream();
            var head = new StringBuilder();
            var one = new byte[1];
            while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal) && await stream.ReadAsync(one, _stop.Token) == 1)
                head.Append((char)one[0]);
            Heads.Enqueue(head.ToString());
            var length = head.ToString().Split('\n').FirstOrDefault(line => line.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase));
            if (length is not null)
                await stream.ReadExactlyAsync(new byte[int.Parse(length.Split(':')[1])], _stop.Token);
            var canned = _answer(head.ToString().Split(' ')[1]) ?? new("text/plain", [], null, 404);
            var location = canned.Location is null ? "" : $"Location: {canned.Location}\r\n";
            await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 {canned.Status} X\r\nContent-Type: {canned.ContentType}\r\n{location}Content-Length: {canned.Body.Length}\r\nConnection: close\r\n\r\n"), _stop.Token);
            await stream.WriteAsync(canned.Body.AsMemory(0, canned.SilentAfter ?? canned.Body.Length), _stop.Token);
            if (canned.SilentAfter is not null)
                await Task.Delay(Timeout.Infinite, _stop.Token);
            client.Client.Shutdown(SocketShutdown.Send);
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException or SocketException)
        {
            // The client has left, or the test is over.
        }
    }
}
