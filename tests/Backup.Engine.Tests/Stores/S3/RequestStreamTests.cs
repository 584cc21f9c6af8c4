using System.Text;
using Backup.Engine.Stores.S3;

namespace Backup.Engine.Tests.Stores.S3;

public sealed class RequestStreamTests
{
    private static readonly string Head = "PUT /k HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_head_waits_for_its_body() => (await WritesOf(Head, "12345")).ShouldBe([Head + "12345"]);

    [Fact]
    public async Task A_head_with_some_of_its_body_waits_for_more() => (await WritesOf(Head + "12", "345")).ShouldBe([Head + "12345"]);

    [Fact]
    public async Task Whatever_is_whole_leaves_at_once() =>
        (await WritesOf(Head + "12345", "GET /k HTTP/1.1\r\n\r\n", "POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n")).Length.ShouldBe(3);

    [Fact]
    public async Task A_body_that_looks_like_a_head_is_a_body()
    {
        var body = Head;
        var head = $"PUT /k HTTP/1.1\r\nContent-Length: {2 * body.Length}\r\n\r\n";
        (await WritesOf(head, body, body, Head, "12345")).ShouldBe([head + body, body, Head + "12345"]);
    }

    [Fact]
    public async Task A_large_block_is_not_copied()
    {
        var body = new string('x', 100_000);
        var head = $"PUT /k HTTP/1.1\r\nContent-Length: {body.Length}\r\n\r\n";
        (await WritesOf(head, body)).ShouldBe([head, body]);
    }

    [Theory]
    [InlineData("PUT /k HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")]
    [InlineData("PUT /k HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")]
    [InlineData("PUT /k HTTP/1.1\r\nContent-Length: many\r\n\r\n")]
    [InlineData("PUT /k HTTP/1.1\r\nContent-")]
    public async Task What_cannot_be_followed_leaves_as_it_comes(string head) => (await WritesOf(head, "12345")).ShouldBe([head, "12345"]);

    [Fact]
    public async Task A_flush_leaves_nothing_behind()
    {
        var written = new Recorder();
        await using var stream = new RequestStream(written);
        await stream.WriteAsync(Encoding.ASCII.GetBytes(Head), Token);
        await stream.FlushAsync(Token);
        await stream.WriteAsync(Encoding.ASCII.GetBytes("12345"), Token);
        written.Writes.ShouldBe([Head, "12345"]);
    }

    private static async Task<string[]> WritesOf(params string[] texts)
    {
        var written = new Recorder();
        await using var stream = new RequestStream(written);
        foreach (var text in texts)
            await stream.WriteAsync(Encoding.ASCII.GetBytes(text), Token);
        return [.. written.Writes];
    }

    private sealed class Recorder : MemoryStream
    {
        public List<string> Writes { get; } = [];

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Writes.Add(Encoding.ASCII.GetString(buffer.Span));
            return ValueTask.CompletedTask;
        }
    }
}
