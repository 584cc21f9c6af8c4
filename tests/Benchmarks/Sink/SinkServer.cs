using System.Net;
using System.Net.Sockets;

namespace Benchmarks.Sink;

/// <summary>
/// The least S3 that every program here is content with: it frames requests, counts them, forgets bodies and remembers names.
/// It verifies nothing but the wrong checksum by which the product asks whether an endpoint verifies CRC-64/NVME at all; what has to be proven
/// is proven against the strict S3 of the tests. Bare sockets, because Kestrel would take as much of a small machine as the programs that are measured.
/// </summary>
internal static class SinkServer
{
    /// <summary>Serves until standard input ends, so that no sink outlives the program that started it.</summary>
    public static async Task<int> RunAsync()
    {
        var store = new SinkStore();
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(1024);
        Console.WriteLine(((IPEndPoint)listener.LocalEndPoint!).Port);
        _ = AcceptAsync(listener, store);
        await Console.In.ReadToEndAsync();
        return 0;
    }

    private static async Task AcceptAsync(Socket listener, SinkStore store)
    {
        while (true)
        {
            var socket = await listener.AcceptAsync();
            socket.NoDelay = true;
            _ = Task.Run(() => new SinkConnection(socket, store).RunAsync());
        }
    }
}
