using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Benchmarks.Sink;

/// <summary>The cheapest client there can be: one prepared request over and over. What it reaches is the sink's ceiling, and nobody can be faster.</summary>
internal static class SinkLoad
{
    public static async Task<int> RunAsync(int port, int connections, int requests, int size)
    {
        var left = requests;
        var clock = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, connections).Select(number => Task.Run(async () =>
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(IPAddress.Loopback, port);
            var head = Encoding.ASCII.GetBytes($"PUT /load/{number} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {size}\r\nx-amz-checksum-crc64nvme: AAAAAAAAAAA=\r\n\r\n");
            var request = new byte[head.Length + Math.Min(size, 256 << 10)];
            head.CopyTo(request, 0);
            var answer = new byte[4096];
            while (Interlocked.Decrement(ref left) >= 0)
            {
                var rest = (long)head.Length + size;
                var sent = await socket.SendAsync(request.AsMemory(0, (int)Math.Min(rest, request.Length)));
                for (rest -= sent; rest > 0; rest -= sent)
                    sent = await socket.SendAsync(request.AsMemory(0, (int)Math.Min(rest, request.Length)));
                for (var got = 0; !answer.AsSpan(0, got).EndsWith("\r\n\r\n"u8);)
                    got += await socket.ReceiveAsync(answer.AsMemory(got));
            }
        })));
        Console.WriteLine(clock.Elapsed.TotalSeconds.ToString("R", CultureInfo.InvariantCulture));
        return 0;
    }
}
