using System.Security.Cryptography;
using Backup.Engine.Stores;
using Backup.Engine.Stores.Transfer;
using Backup.Engine.Tests.Stores.S3;
using Backup.TestServers.S3;

namespace Backup.Engine.Tests.Stores.Transfer;

public sealed class RangeReaderTests(StrictS3Fixture s3) : IClassFixture<StrictS3Fixture>, IAsyncLifetime
{
    private const string Key = "large";
    private readonly byte[] _content = RandomNumberGenerator.GetBytes((5 * RangeReader.RangeSize) + 7);
    private readonly SemaphoreSlim _ahead = new(3);
    private IObjectStore _store = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _store = await ObjectStores.OpenAsync(StoreLocation.Parse($"s3://{StrictS3Fixture.Bucket}/{Guid.NewGuid():n}/"), s3.Options, Token);
        await _store.WriteAsync(Key, new MemoryStream(_content), new() { Length = _content.Length }, Token);
    }

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    [Fact]
    public async Task The_ranges_are_the_object()
    {
        await using var reader = Open(_content.Length);
        using var copy = new MemoryStream();
        await reader.CopyToAsync(copy, 100_003, Token);
        copy.ToArray().AsSpan().SequenceEqual(_content).ShouldBeTrue();
        _ahead.CurrentCount.ShouldBe(3);
    }

    [Fact]
    public async Task Where_nothing_may_be_read_ahead_it_still_reads()
    {
        while (_ahead.Wait(0, Token))
        {
        }

        await using var reader = Open(_content.Length);
        using var copy = new MemoryStream();
        await reader.CopyToAsync(copy, Token);
        copy.ToArray().AsSpan().SequenceEqual(_content).ShouldBeTrue();
        _ahead.CurrentCount.ShouldBe(0);
    }

    [Fact]
    public async Task Whoever_stops_early_gives_back_what_was_read_ahead()
    {
        await using (var reader = Open(_content.Length))
        {
            await reader.ReadExactlyAsync(new byte[10], Token);
            _ahead.CurrentCount.ShouldBe(0);
        }

        _ahead.CurrentCount.ShouldBe(3);
    }

    [Fact]
    public async Task An_object_that_is_shorter_than_it_was_is_told()
    {
        await using var reader = Open(_content.Length + 100);
        (await Should.ThrowAsync<BackupException>(() => reader.CopyToAsync(Stream.Null, Token))).Kind.ShouldBe(FailureKind.LengthMismatch);
    }

    [Fact]
    public async Task A_range_that_breaks_off_goes_on()
    {
        s3.Server.Faults.Add("GetObject", FaultAction.TruncateResponse(1000), times: 3);
        await using var reader = Open(_content.Length);
        using var copy = new MemoryStream();
        await reader.CopyToAsync(copy, Token);
        copy.ToArray().AsSpan().SequenceEqual(_content).ShouldBeTrue();
    }

    private RangeReader Open(long size) => new(_store, Key, null, size, _ahead);
}
