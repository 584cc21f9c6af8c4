using System.Security.Cryptography;
using System.Text;
using Backup.Engine.Stores;
using Backup.Engine.Stores.Checksums;

namespace Backup.Engine.Tests.Stores;

/// <summary>What every <see cref="IObjectStore"/> does. A store that passes may hold the only copy of somebody's work.</summary>
public abstract class ObjectStoreContract : IAsyncLifetime
{
    private const string Key = "dir/object.bin";

    private IObjectStore? _store;

    /// <summary>Sizes around which a store behaves differently are relative to this, in bytes.</summary>
    protected abstract int PartSize { get; }

    /// <summary>The store of this test, fresh and empty.</summary>
    protected IObjectStore Store => _store!;

    /// <summary>The longest key that this place can take, in UTF-8 bytes: less than 1,024 where it is a prefix.</summary>
    protected virtual int MaxKeyBytes => 1024;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _store = await OpenStoreAsync();

    public virtual async ValueTask DisposeAsync()
    {
        if (_store is not null)
            await _store.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    /// <summary>Opens a fresh, empty store or prefix.</summary>
    protected abstract Task<IObjectStore> OpenStoreAsync();

    /// <summary>Counts what is in the store and is no object: temporary files, unfinished uploads.</summary>
    protected abstract Task<int> CountOrphansAsync();

    // --- Writing: sizes -------------------------------------------------------------------------------------------

    public static TheoryData<string> Sizes() =>
        ["0", "1", "65535", "65536", "65537", "part-1", "part", "part+1", "2part-1", "2part", "2part+1"];

    [Theory]
    [MemberData(nameof(Sizes))]
    public async Task What_is_written_with_a_known_length_is_read_back(string size)
    {
        var data = Bytes(SizeOf(size));
        var written = await Store.WriteAsync(Key, new MemoryStream(data), new() { Length = data.Length }, Token);
        await ShouldHold(written, Key, data);
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public async Task What_is_written_with_an_unknown_length_is_read_back(string size)
    {
        var data = Bytes(SizeOf(size));
        var written = await Store.WriteAsync(Key, new OddStream(data), null, Token);
        await ShouldHold(written, Key, data);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Reads_of_odd_sizes_make_no_difference(bool knownLength)
    {
        var data = Bytes(PartSize + 12_345);
        var random = new Random(7);
        var sizes = Enumerable.Range(0, 50).Select(_ => random.Next(1, PartSize / 20)).ToArray();
        var written = await Store.WriteAsync(Key, new OddStream(data, i => sizes[i % sizes.Length]), knownLength ? new() { Length = data.Length } : null, Token);
        await ShouldHold(written, Key, data);
    }

    [Fact]
    public async Task A_source_of_single_bytes_is_written()
    {
        var data = Bytes(3001);
        await ShouldHold(await Store.WriteAsync(Key, new OddStream(data, _ => 1), null, Token), Key, data);
    }

    [Fact]
    public async Task Only_the_rest_of_a_stream_is_written()
    {
        var data = Bytes(1000);
        var source = new MemoryStream(data) { Position = 400 };
        await ShouldHold(await Store.WriteAsync(Key, source, new() { Length = 600 }, Token), Key, data[400..]);
    }

    [Fact]
    public async Task The_source_stream_stays_open()
    {
        var source = new MemoryStream(Bytes(10));
        await Store.WriteAsync(Key, source, new() { Length = 10 }, Token);
        source.CanRead.ShouldBeTrue();
    }

    [Theory]
    [InlineData("0")]
    [InlineData("1000")]
    [InlineData("2part+1")]
    public async Task Progress_adds_up_to_the_size(string size)
    {
        var data = Bytes(SizeOf(size));
        var progress = new Sum();
        await Store.WriteAsync(Key, new OddStream(data), new() { Progress = progress }, Token);
        progress.Total.ShouldBe(data.Length);
    }

    // --- Writing: what it says -----------------------------------------------------------------------------------------

    [Fact]
    public async Task The_result_names_key_size_and_independent_hashes()
    {
        var data = Bytes((2 * PartSize) + 77);
        var written = await Store.WriteAsync(Key, new MemoryStream(data), new() { Length = data.Length }, Token);
        written.Key.ShouldBe(Key);
        written.Size.ShouldBe(data.Length);
        written.Sha256.ShouldBe(Sha256(data));
        written.Checksum.ShouldNotBeNull();
        if (written.Checksum.Algorithm == ObjectChecksum.Crc64Nvme)
            written.Checksum.Value.ShouldBe(Crc64Nvme.ToBase64(Crc64Nvme.Hash(data)));
    }

    [Fact]
    public async Task Head_tells_what_the_write_told()
    {
        var before = DateTimeOffset.UtcNow.AddMinutes(-5);
        var written = await Store.WriteAsync(Key, new MemoryStream(Bytes(100)), null, Token);
        var head = (await Store.HeadAsync(Key, null, Token)).ShouldNotBeNull();
        head.Key.ShouldBe(Key);
        head.Size.ShouldBe(100);
        head.VersionId.ShouldBe(written.VersionId);
        (head.Sha256 ?? written.Sha256).ShouldBe(written.Sha256);
        head.Archive.ShouldBe(ArchiveState.Readable);
        head.LastModified.ShouldBeInRange(before, DateTimeOffset.UtcNow.AddMinutes(5));
        head.LastModified.Offset.ShouldBe(TimeSpan.Zero);
    }

    [Fact]
    public async Task Metadata_comes_back_with_any_Unicode_value()
    {
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["mode"] = "0644",
            ["with-hyphen"] = "a, b; c=d \"e\"",
            ["unicode"] = "Grüße, 日本 🎉",
            ["percent"] = "100%20 =?UTF-8?Q?no?=",
        };
        await Store.WriteAsync(Key, new MemoryStream([1]), new() { Metadata = metadata }, Token);
        var head = (await Store.HeadAsync(Key, null, Token)).ShouldNotBeNull();
        foreach (var (name, value) in metadata)
            head.Metadata[name].ShouldBe(value, name);
    }

    [Fact]
    public async Task A_content_type_is_taken()
    {
        var data = Bytes(5);
        await ShouldHold(await Store.WriteAsync(Key, new MemoryStream(data), new() { ContentType = "application/json" }, Token), Key, data);
    }

    [Fact]
    public async Task A_storage_class_is_kept_where_there_are_classes()
    {
        Assert.SkipUnless(Store.Abilities.StorageClasses, "The store has no storage classes.");
        await Store.WriteAsync(Key, new MemoryStream([1]), new() { StorageClass = "STANDARD_IA" }, Token);
        (await Store.HeadAsync(Key, null, Token))!.StorageClass.ShouldBe("STANDARD_IA");
    }

    // --- Writing: what fails --------------------------------------------------------------------------------------------

    [Theory]
    [InlineData("1000")]
    [InlineData("2part+1")]
    public async Task A_source_with_another_hash_than_expected_is_refused(string size)
    {
        var data = Bytes(SizeOf(size));
        var failure = await Fails(FailureKind.ChecksumMismatch, () => Store.WriteAsync(Key, new MemoryStream(data), new() { Length = data.Length, ExpectedSha256 = new string('0', 64) }, Token));
        failure.Message.ShouldContain(Key);
        await NothingIsLeft();
    }

    [Fact]
    public async Task The_expected_hash_may_have_capitals()
    {
        var data = Bytes(1000);
        await ShouldHold(await Store.WriteAsync(Key, new MemoryStream(data), new() { ExpectedSha256 = Sha256(data).ToUpperInvariant() }, Token), Key, data);
    }

    [Theory]
    [InlineData("1000", -1)]
    [InlineData("1000", 1)]
    [InlineData("part", -1)]
    [InlineData("part", 1)]
    [InlineData("2part+1", -1)]
    [InlineData("2part+1", 1)]
    [InlineData("0", 1)]
    [InlineData("1", -1)]
    public async Task A_source_that_is_shorter_or_longer_than_declared_is_refused(string size, int declaredMore)
    {
        var data = Bytes(SizeOf(size));
        await Fails(FailureKind.LengthMismatch, () => Store.WriteAsync(Key, new OddStream(data), new() { Length = data.Length + declaredMore }, Token));
        await NothingIsLeft();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_exception_of_the_source_passes_through(bool knownLength)
    {
        var data = Bytes((2 * PartSize) + 1);
        var broken = new OddStream(data, null, position => { if (position > PartSize) throw new SourceBrokenException(); });
        await Should.ThrowAsync<SourceBrokenException>(() => Store.WriteAsync(Key, broken, knownLength ? new() { Length = data.Length } : null, Token));
        await NothingIsLeft();
    }

    [Fact]
    public async Task A_failed_write_leaves_the_old_object_as_it_was()
    {
        var old = Bytes(500, seed: 2);
        await Store.WriteAsync(Key, new MemoryStream(old), null, Token);
        await Fails(FailureKind.ChecksumMismatch, () => Store.WriteAsync(Key, new MemoryStream(Bytes(700)), new() { ExpectedSha256 = new string('a', 64) }, Token));
        await Fails(FailureKind.LengthMismatch, () => Store.WriteAsync(Key, new MemoryStream(Bytes(700)), new() { Length = 701 }, Token));
        await Should.ThrowAsync<SourceBrokenException>(() => Store.WriteAsync(Key, new OddStream(Bytes(700), _ => 100, position => { if (position > 300) throw new SourceBrokenException(); }), null, Token));
        (await ReadAll(Key)).ShouldBe(old);
        (await CountOrphansAsync()).ShouldBe(0);
    }

    [Fact]
    public async Task A_write_that_was_cancelled_before_it_began_does_nothing()
    {
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => Store.WriteAsync(Key, new MemoryStream(Bytes(10)), null, cancelled.Token));
        await NothingIsLeft();
    }

    [Fact]
    public async Task A_write_that_was_cancelled_half_way_leaves_nothing()
    {
        using var cancellation = new CancellationTokenSource();
        var source = new OddStream(Bytes(4 * PartSize), _ => PartSize / 4, position => { if (position >= 3L * PartSize) cancellation.Cancel(); });
        await Should.ThrowAsync<OperationCanceledException>(() => Store.WriteAsync(Key, source, null, cancellation.Token));
        await NothingIsLeft();
    }

    // --- Only if absent -------------------------------------------------------------------------------------------------

    [Theory]
    [InlineData("1000")]
    [InlineData("2part+1")]
    public async Task Only_if_absent_writes_where_there_is_nothing(string size)
    {
        var data = Bytes(SizeOf(size));
        await ShouldHold(await Store.WriteAsync(Key, new MemoryStream(data), new() { OnlyIfAbsent = true }, Token), Key, data);
    }

    [Theory]
    [InlineData("1000")]
    [InlineData("2part+1")]
    public async Task Only_if_absent_refuses_where_there_is_something(string size)
    {
        var old = Bytes(10, seed: 2);
        await Store.WriteAsync(Key, new MemoryStream(old), null, Token);
        var failure = await Fails(FailureKind.AlreadyExists, () => Store.WriteAsync(Key, new MemoryStream(Bytes(SizeOf(size))), new() { OnlyIfAbsent = true }, Token));
        failure.Message.ShouldContain(Key);
        (await ReadAll(Key)).ShouldBe(old);
        (await CountOrphansAsync()).ShouldBe(0);
    }

    [Fact]
    public async Task Only_if_absent_holds_where_the_caller_has_looked()
    {
        var old = Bytes(10, seed: 2);
        var options = new WriteOptions { OnlyIfAbsent = true, LookFirst = false };
        await Store.WriteAsync(Key, new MemoryStream(old), options, Token);
        await Fails(FailureKind.AlreadyExists, () => Store.WriteAsync(Key, new MemoryStream(Bytes(1000)), options, Token));
        (await ReadAll(Key)).ShouldBe(old);
    }

    [Fact]
    public async Task Only_if_absent_writes_again_after_a_deletion()
    {
        await Store.WriteAsync(Key, new MemoryStream(Bytes(10)), null, Token);
        await Delete(Key);
        var data = Bytes(20, seed: 3);
        await ShouldHold(await Store.WriteAsync(Key, new MemoryStream(data), new() { OnlyIfAbsent = true }, Token), Key, data);
    }

    [Fact]
    public async Task Of_eight_racing_writers_exactly_one_wins()
    {
        for (var round = 0; round < 5; round++)
        {
            var key = $"race/{round}";
            using var start = new Barrier(8);
            var outcomes = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Factory.StartNew(
                async () =>
                {
                    start.SignalAndWait(TimeSpan.FromSeconds(30));
                    try
                    {
                        await Store.WriteAsync(key, new MemoryStream(Bytes(1000, i)), new() { OnlyIfAbsent = true }, Token);
                        return i;
                    }
                    catch (BackupException exists) when (exists.Kind == FailureKind.AlreadyExists)
                    {
                        return -1;
                    }
                },
                Token,
                TaskCreationOptions.LongRunning,
                TaskScheduler.Default).Unwrap()));
            var winner = outcomes.Where(i => i >= 0).ShouldHaveSingleItem();
            (await ReadAll(key)).ShouldBe(Bytes(1000, winner));
        }
        (await CountOrphansAsync()).ShouldBe(0);
    }

    // --- Overwriting, concurrency ---------------------------------------------------------------------------------------

    [Theory]
    [InlineData("1000", "2000")]
    [InlineData("2000", "1000")]
    [InlineData("2part+1", "1")]
    [InlineData("1", "2part+1")]
    [InlineData("1000", "1000")]
    [InlineData("1000", "0")]
    public async Task Writing_again_replaces(string first, string second)
    {
        await Store.WriteAsync(Key, new MemoryStream(Bytes(SizeOf(first), seed: 2)), new() { Metadata = new Dictionary<string, string>(StringComparer.Ordinal) { ["old"] = "yes" } }, Token);
        var data = Bytes(SizeOf(second), seed: 3);
        await ShouldHold(await Store.WriteAsync(Key, new MemoryStream(data), null, Token), Key, data);
        (await Store.HeadAsync(Key, null, Token))!.Metadata.ContainsKey("old").ShouldBeFalse();
        (await List()).ShouldBe([Key]);
    }

    [Fact]
    public async Task Concurrent_writers_of_one_key_leave_one_whole_object()
    {
        var written = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Run(() => Store.WriteAsync(Key, new OddStream(Bytes(50_000 + i, i), _ => 5000), null, Token))));
        var data = await ReadAll(Key);
        var winner = data.Length - 50_000;
        data.ShouldBe(Bytes(50_000 + winner, winner));
        (await Store.HeadAsync(Key, null, Token))!.Size.ShouldBe(data.Length);
        if (Store.Abilities.Versions)
            written.Select(o => o.VersionId).Distinct(StringComparer.Ordinal).Count().ShouldBe(8);
        (await CountOrphansAsync()).ShouldBe(0);
    }

    [Fact]
    public async Task Readers_see_the_old_or_the_new_object_and_never_a_mixture()
    {
        await Store.WriteAsync(Key, new MemoryStream(Bytes(20_000, 0)), null, Token);
        var writing = Task.Run(async () =>
        {
            for (var i = 1; i <= 15; i++)
                await Store.WriteAsync(Key, new MemoryStream(Bytes(20_000 + i, i)), null, Token);
        });
        while (!writing.IsCompleted)
        {
            var data = await ReadAll(Key);
            data.ShouldBe(Bytes(data.Length, data.Length - 20_000));
            var head = (await Store.HeadAsync(Key, null, Token)).ShouldNotBeNull();
            if (head.Sha256 is { } hash)
                hash.ShouldBe(Sha256(Bytes((int)head.Size, (int)head.Size - 20_000)));
        }
        await writing;
    }

    [Fact]
    public async Task Sixty_four_writes_at_once()
    {
        await Task.WhenAll(Enumerable.Range(0, 64).Select(i => Store.WriteAsync($"many/{i % 8}/{i}", new OddStream(Bytes(10_000 + i, i)), null, Token)));
        for (var i = 0; i < 64; i++)
            (await ReadAll($"many/{i % 8}/{i}")).ShouldBe(Bytes(10_000 + i, i));
    }

    // --- Reading --------------------------------------------------------------------------------------------------------

    [Theory]
    [InlineData(0, 1L, 0, 1)]
    [InlineData(0, 1000L, 0, 1000)]
    [InlineData(500, 10L, 500, 510)]
    [InlineData(999, 1L, 999, 1000)]
    [InlineData(999, null, 999, 1000)]
    [InlineData(1, null, 1, 1000)]
    [InlineData(990, 100L, 990, 1000)]
    [InlineData(0, 5000L, 0, 1000)]
    [InlineData(10, 0L, 10, 10)]
    [InlineData(0, 0L, 0, 0)]
    public async Task A_range_is_read(int offset, long? length, int from, int to)
    {
        var data = Bytes(1000);
        await Store.WriteAsync(Key, new MemoryStream(data), null, Token);
        (await ReadAll(Key, new() { Offset = offset, Length = length })).ShouldBe(data[from..to]);
    }

    [Theory]
    [InlineData(1000, null)]
    [InlineData(1001, null)]
    [InlineData(2000, 1L)]
    [InlineData(-1, 1L)]
    [InlineData(0, -1L)]
    public async Task A_range_outside_of_the_object_is_refused(int offset, long? length)
    {
        await Store.WriteAsync(Key, new MemoryStream(Bytes(1000)), null, Token);
        await Fails(FailureKind.InvalidInput, () => ReadAll(Key, new() { Offset = offset, Length = length }));
    }

    [Fact]
    public async Task Ranges_put_together_are_the_object()
    {
        var data = Bytes((2 * PartSize) + 5);
        await Store.WriteAsync(Key, new MemoryStream(data), null, Token);
        var pieces = new List<byte>();
        for (var offset = 0; offset < data.Length; offset += (PartSize / 2) + 1)
            pieces.AddRange(await ReadAll(Key, new() { Offset = offset, Length = (PartSize / 2) + 1 }));
        Sha256([.. pieces]).ShouldBe(Sha256(data));
    }

    [Fact]
    public async Task Reading_tells_the_size_of_the_whole_object()
    {
        await Store.WriteAsync(Key, new MemoryStream(Bytes(1000)), null, Token);
        await using var content = await Store.ReadAsync(Key, new() { Offset = 10, Length = 5 }, Token);
        content.Object.Size.ShouldBe(1000);
        content.Object.Key.ShouldBe(Key);
    }

    [Fact]
    public async Task What_is_missing_is_null_to_head_and_not_found_to_read()
    {
        (await Store.HeadAsync("missing", null, Token)).ShouldBeNull();
        (await Store.HeadAsync("missing/too", null, Token)).ShouldBeNull();
        var failure = await Fails(FailureKind.NotFound, () => ReadAll("missing"));
        failure.Message.ShouldContain("missing");

        await Store.WriteAsync("dir/a", new MemoryStream([1]), null, Token);
        (await Store.HeadAsync("dir", null, Token)).ShouldBeNull();
        (await Store.HeadAsync("dir/", null, Token)).ShouldBeNull();
        (await Store.HeadAsync("dir/a/b", null, Token)).ShouldBeNull();
        await Fails(FailureKind.NotFound, () => ReadAll("dir/a/b"));
    }

    // --- Listing --------------------------------------------------------------------------------------------------------

    [Fact]
    public async Task An_empty_store_lists_nothing()
    {
        (await List()).ShouldBeEmpty();
        (await List("some/prefix")).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_listing_tells_keys_sizes_and_times()
    {
        await Store.WriteAsync("a/1", new MemoryStream(Bytes(11)), null, Token);
        await Store.WriteAsync("b", new MemoryStream(Bytes(0)), null, Token);
        var listed = await Store.ListAsync("", Token).ToListAsync(Token);
        listed.Select(o => (o.Key, o.Size)).ShouldBe([("a/1", 11L), ("b", 0L)]);
        listed.ShouldAllBe(o => Math.Abs((DateTimeOffset.UtcNow - o.LastModified).TotalMinutes) < 5);
    }

    [Fact]
    public async Task A_prefix_need_not_end_at_a_slash()
    {
        string[] keys = ["a", "a/b", "a/bc", "a/bc/d", "a/c", "ab", "ab/c", "b", "b/a"];
        await WriteAll(keys);
        foreach (var prefix in (string[])["", "a", "a/", "a/b", "a/bc", "a/bc/", "a/bc/d", "ab", "ab/", "b", "x", "a/x", "a/bc/d/", "/", "b/a/c"])
            (await List(prefix)).ShouldBe(keys.Where(k => k.StartsWith(prefix, StringComparison.Ordinal)), $"prefix '{prefix}'");
    }

    [Fact]
    public async Task More_than_a_thousand_keys_are_listed_in_order()
    {
        var keys = Enumerable.Range(0, 1100).Select(i => $"{i % 7}/{i % 13}-x/{i}").ToArray();
        await WriteAll(keys);
        (await List()).ShouldBe(ByBytes(keys));
        (await List("3/")).ShouldBe(ByBytes(keys.Where(k => k.StartsWith("3/", StringComparison.Ordinal))));
    }

    [Fact]
    public async Task Keys_are_in_the_order_of_their_UTF8_bytes()
    {
        string[] keys =
        [
            "a", "a!", "a b", "a-b", "a.b", "a/b", "a/", "a//b", "a0", "a%", "aB", "ab", "A", "B", "z", "Z", "é", "e\u0301", "ü/x", "ü.x",
            "\uFB01", "\uFFFD", "\uFF5E/x", "\uE000", "😀", "😀/x", "😀.x", "𐀀", "日本", "~", "_", "^",
            new string('k', 200) + "a", new string('k', 250) + "/x", new string('k', 250) + "!", new string('k', 240), new string('k', 241), new string('k', 239) + "z",
        ];
        await WriteAll(keys);
        (await List()).ShouldBe(ByBytes(keys));
        (await List("a")).ShouldBe(ByBytes(keys.Where(k => k.StartsWith('a'))));
        (await List("😀")).ShouldBe(ByBytes(keys.Where(k => k.StartsWith("😀", StringComparison.Ordinal))));
        (await List(new string('k', 245))).ShouldBe(ByBytes(keys.Where(k => k.StartsWith(new string('k', 245), StringComparison.Ordinal))));
        (await List(new string('k', 250) + "/")).ShouldBe([new string('k', 250) + "/x"]);
    }

    [Fact]
    public async Task What_is_deleted_is_listed_no_more()
    {
        await WriteAll(["a/1", "a/2", "b"]);
        await Delete("a/1", "b");
        (await List()).ShouldBe(["a/2"]);
        await Delete("a/2");
        (await List()).ShouldBeEmpty();
        (await List("a/")).ShouldBeEmpty();
    }

    // --- Keys -----------------------------------------------------------------------------------------------------------

    // After rclone's FsEncoding, the names that Windows reserves, and what URLs and S3's XML make trouble with.
    public static TheoryData<string> HostileKeys() =>
    [
        "/", "//", "/a", "a/", "a//b", "a///b", "//a", ".", "..", "...", "./a", "../a", "a/.", "a/..", "a/../b", "....", ".a", "..a",
        " ", " a", "a ", " a ", "a/ ", "a. ", "a .", ".a.", "a.", "a./b.", " /a", "a /b ",
        "\t", "a\tb", "a\nb", "a\rb", "a\r\nb", "a\vb", "\u0001", "\u001F", "\u007F", "a\u0085b", "\u2028",
        "!\"#$%&'()*+,-.", ":;<=>?@", "[\\]^_`", "{|}~", "a:b", "C:", "C:\\a", "a\\b", "\\", "\\\\server\\share", "a*b?c", "<a>", "\"a\"", "a|b",
        "~", "~a", "-", "-rf", "$HOME", "`id`", "%", "%%", "%2F", "%2f", "%25", "%e", "%f", "%s", "%v", "%m.json", "test%46.txt", "a%f", "a%f/b",
        "+", "a+b", "a b", "#", "a#b", "?", "a?b=c&d=e", "&", "&amp;", "=", ";", "a;b", "'", "@", ",", "a,b", "^", "{a}", "<Key>x</Key>", "]]>",
        "😀", "a/😀/b", "日本語/ファイル", "é", "e\u0301", "\u00C5", "\u212B", "A\u030A", "ß", "ẞ", "İ", "ı", "Ω", "\u2126", "\uFEFFa", "a\u200Bb", "\u202Etxt.exe", "\uFFFD", "\uE000", "𐀀", "שלום", "مرحبا",
        "CON", "con", "Con.txt", "con .txt", "aux", "NUL", "nul.tar.gz", "PRN", "COM1", "com0", "COM9.log", "LPT1", "lpt9.x", "COM¹", "CONIN$", "CONOUT$", "a/CON/b", "CONX", "COM10",
        ".store", ".STORE", ".store/meta/x", ".store/format.json", ".store/tmp/x", "a/.store", ".Store/x", "lost+found", ".DS_Store", "desktop.ini", "a.json", "a.json/b", "meta",
        "index.html", "_catalog/runs/x", "a=b/c=d", "soap", "..;/a", "%00", "\\0", "a/%2e%2e/b", "%u0041",
    ];

    [Theory]
    [MemberData(nameof(HostileKeys))]
    public async Task A_hostile_key_is_a_key_like_any_other(string key)
    {
        if (RefusedKeyReason(key) is { } reason)
            Assert.Skip(reason);
        var data = Encoding.UTF8.GetBytes("content of " + key);
        await Store.WriteAsync("neighbour", new MemoryStream([1]), null, Token);
        await ShouldHold(await Store.WriteAsync(key, new MemoryStream(data), null, Token), key, data);
        (await List()).ShouldBe(ByBytes([key, "neighbour"]));
        (await List(key)).ShouldBe([key]);
        await Delete(key);
        (await Store.HeadAsync(key, null, Token)).ShouldBeNull();
        (await List()).ShouldBe(["neighbour"]);
    }

    [Fact]
    public async Task All_hostile_keys_live_together()
    {
        var keys = HostileKeys().Select(row => row.Data).Where(k => RefusedKeyReason(k) is null).Distinct(StringComparer.Ordinal).ToArray();
        await WriteAll(keys);
        (await List()).ShouldBe(ByBytes(keys));
        foreach (var key in keys)
            Encoding.UTF8.GetString(await ReadAll(key)).ShouldBe(key);
        await Delete(keys);
        (await List()).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("readme", "README")]
    [InlineData("dir/file", "DIR/file")]
    [InlineData("é", "e\u0301")]
    [InlineData("straße", "STRASSE")]
    [InlineData("\u212B", "\u00C5")]
    [InlineData("i", "İ")]
    public async Task Twins_stay_apart(string one, string other)
    {
        await WriteAll([one, other]);
        (await List()).ShouldBe(ByBytes([one, other]));
        Encoding.UTF8.GetString(await ReadAll(one)).ShouldBe(one);
        Encoding.UTF8.GetString(await ReadAll(other)).ShouldBe(other);
        await Delete(one);
        (await List()).ShouldBe([other]);
    }

    [Theory]
    [InlineData("a", "a/b")]
    [InlineData("a/b", "a")]
    [InlineData("a", "a/")]
    [InlineData("a/", "a")]
    [InlineData("x/y", "x/y/z/w")]
    [InlineData("x/y/z/w", "x/y")]
    public async Task A_key_may_be_the_beginning_of_another(string first, string second)
    {
        await WriteAll([first]);
        await WriteAll([second]);
        (await List()).ShouldBe(ByBytes([first, second]));
        foreach (var key in (string[])[first, second])
            Encoding.UTF8.GetString(await ReadAll(key)).ShouldBe(key);

        // Replaced, deleted and written again, each stays what it is.
        await WriteAll([first]);
        await Delete(second);
        (await List()).ShouldBe([first]);
        await WriteAll([second]);
        await Delete(first);
        (await List()).ShouldBe([second]);
        Encoding.UTF8.GetString(await ReadAll(second)).ShouldBe(second);
        (await Store.HeadAsync(first, null, Token)).ShouldBeNull();
    }

    [Fact]
    public async Task Keys_and_the_beginnings_of_other_keys_may_be_written_at_once()
    {
        string[] keys = [.. Enumerable.Range(0, 10).SelectMany(i => (string[])[$"t{i}", $"t{i}/u", $"t{i}/u/v", $"t{i}/u/v/w"])];
        await WriteAll(keys);
        (await List()).ShouldBe(ByBytes(keys));
        foreach (var key in keys)
            Encoding.UTF8.GetString(await ReadAll(key)).ShouldBe(key);
    }

    [Theory]
    [InlineData("n", 255)]
    [InlineData("n", 256)]
    [InlineData("%", 255)]
    [InlineData("N", 255)]
    [InlineData("é", 250)]
    [InlineData("日", 255)]
    [InlineData("😀", 252)]
    [InlineData(".", 241)]
    [InlineData(" ", 241)]
    public async Task A_long_segment_is_kept(string unit, int bytes)
    {
        var segment = string.Concat(Enumerable.Repeat(unit, bytes / Encoding.UTF8.GetByteCount(unit)));
        string[] keys = [segment, segment + "/below", "above/" + segment + "/below"];
        await WriteAll(keys);
        (await List()).ShouldBe(ByBytes(keys));
        (await List(segment + "/")).ShouldBe([keys[1]]);
        foreach (var key in keys)
            Encoding.UTF8.GetString(await ReadAll(key)).ShouldBe(key);
    }

    [Theory]
    [InlineData("k")]
    [InlineData("/k")]
    [InlineData("日")]
    [InlineData("A/")]
    public async Task The_longest_key_is_kept(string unit)
    {
        var count = MaxKeyBytes / Encoding.UTF8.GetByteCount(unit);
        var key = string.Concat(Enumerable.Repeat(unit, count)) + new string('x', MaxKeyBytes - (count * Encoding.UTF8.GetByteCount(unit)));
        Encoding.UTF8.GetByteCount(key).ShouldBe(MaxKeyBytes);
        var data = Bytes(10);
        await ShouldHold(await Store.WriteAsync(key, new MemoryStream(data), null, Token), key, data);
        (await List()).ShouldBe([key]);
        await Delete(key);
        (await List()).ShouldBeEmpty();
    }

    [Theory]
    [InlineData(1025, "k")]
    [InlineData(1026, "日")]
    [InlineData(5000, "a/")]
    public async Task A_key_that_is_too_long_is_refused(int bytes, string unit)
    {
        var key = string.Concat(Enumerable.Repeat(unit, bytes / Encoding.UTF8.GetByteCount(unit)));
        await Fails(FailureKind.InvalidInput, () => Store.WriteAsync(key, new MemoryStream([1]), null, Token));
        (await List()).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_key_that_is_none_is_refused()
    {
        foreach (var key in (string[])["", "a\uD800b", "\uDC00"])
            await Fails(FailureKind.InvalidInput, () => Store.WriteAsync(key, new MemoryStream([1]), null, Token));
    }

    // --- Deleting -------------------------------------------------------------------------------------------------------

    [Fact]
    public async Task Deleting_what_is_not_there_succeeds()
    {
        await Delete("missing");
        await WriteAll(["a/b"]);
        await Delete("a", "a/", "a/b/c", "missing");
        (await List()).ShouldBe(["a/b"]);
    }

    [Fact]
    public async Task Deleting_nothing_does_nothing() =>
        (await Store.DeleteAsync(AsyncEnumerable.Empty<string>(), Token).ToListAsync(Token)).ShouldBeEmpty();

    [Fact]
    public async Task More_than_a_thousand_keys_are_deleted()
    {
        var keys = Enumerable.Range(0, 1003).Select(i => $"d/{i % 5}/{i}").ToArray();
        await WriteAll(["keep"]);
        await WriteAll(keys);
        await Delete(keys);
        (await List()).ShouldBe(["keep"]);
    }

    [Fact]
    public async Task A_key_that_is_none_is_one_failed_deletion()
    {
        await WriteAll(["a", "b"]);
        var results = await Store.DeleteAsync(((string[])["a", new string('x', 2000), "b"]).ToAsyncEnumerable(), Token).ToListAsync(Token);
        results.Count.ShouldBe(3);
        results.Where(r => r.Failure is not null).ShouldHaveSingleItem().Failure!.Kind.ShouldBe(FailureKind.InvalidInput);
        (await List()).ShouldBeEmpty();
    }

    // --- Versions -------------------------------------------------------------------------------------------------------

    [Fact]
    public async Task Overwritten_objects_stay_readable_by_version()
    {
        NeedsVersions();
        var written = new List<StoredObject>();
        for (var i = 0; i < 4; i++)
            written.Add(await Store.WriteAsync(Key, new MemoryStream(Bytes(1000 + i, i)), new() { Metadata = new Dictionary<string, string>(StringComparer.Ordinal) { ["n"] = $"{i}" } }, Token));
        written.Select(o => o.VersionId.ShouldNotBeNull()).Distinct(StringComparer.Ordinal).Count().ShouldBe(4);
        for (var i = 0; i < 4; i++)
        {
            (await ReadAll(Key, new() { VersionId = written[i].VersionId })).ShouldBe(Bytes(1000 + i, i));
            var head = (await Store.HeadAsync(Key, written[i].VersionId, Token)).ShouldNotBeNull();
            head.Size.ShouldBe(1000 + i);
            head.VersionId.ShouldBe(written[i].VersionId);
            head.Metadata["n"].ShouldBe($"{i}");
            (head.Sha256 ?? written[i].Sha256).ShouldBe(written[i].Sha256);
        }
        (await ReadAll(Key)).ShouldBe(Bytes(1003, 3));
        (await List()).ShouldBe([Key]);
    }

    [Fact]
    public async Task Deleted_objects_stay_readable_by_version()
    {
        NeedsVersions();
        var first = await Store.WriteAsync(Key, new MemoryStream(Bytes(10, 1)), null, Token);
        await Delete(Key);
        var second = await Store.WriteAsync(Key, new MemoryStream(Bytes(20, 2)), null, Token);
        await Delete(Key);
        (await Store.HeadAsync(Key, null, Token)).ShouldBeNull();
        await Fails(FailureKind.NotFound, () => ReadAll(Key));
        (await ReadAll(Key, new() { VersionId = first.VersionId })).ShouldBe(Bytes(10, 1));
        (await ReadAll(Key, new() { VersionId = second.VersionId, Offset = 5, Length = 5 })).ShouldBe(Bytes(20, 2)[5..10]);
    }

    [Fact]
    public async Task A_version_that_does_not_exist_is_not_found()
    {
        NeedsVersions();
        var other = await Store.WriteAsync("other", new MemoryStream([2]), null, Token);
        await Store.WriteAsync(Key, new MemoryStream([1]), null, Token);
        (await Store.HeadAsync(Key, other.VersionId, Token)).ShouldBeNull();
        await Fails(FailureKind.NotFound, () => ReadAll(Key, new() { VersionId = other.VersionId }));
    }

    // --- Archive --------------------------------------------------------------------------------------------------------

    [Fact]
    public async Task Asking_for_a_restore_where_there_is_no_archive_is_not_supported()
    {
        Assert.SkipWhen(Store.Abilities.ArchiveRestore, "The store has an archive.");
        await WriteAll([Key]);
        await Fails(FailureKind.NotSupported, () => Store.RequestRestoreAsync(Key, new(1), Token));
    }

    [Fact]
    public async Task An_archived_object_is_read_only_after_a_restore()
    {
        Assert.SkipUnless(Store.Abilities.ArchiveRestore, "The store has no archive.");
        var data = Bytes(100);
        await Store.WriteAsync(Key, new MemoryStream(data), new() { StorageClass = "DEEP_ARCHIVE" }, Token);
        (await Store.HeadAsync(Key, null, Token))!.Archive.ShouldBe(ArchiveState.Archived);
        await Fails(FailureKind.Archived, () => ReadAll(Key));
        (await Store.RequestRestoreAsync(Key, new(2), Token)).ShouldNotBe(ArchiveState.Archived);
        (await Store.RequestRestoreAsync(Key, new(2), Token)).ShouldNotBe(ArchiveState.Archived);
    }

    // --- Being there ----------------------------------------------------------------------------------------------------

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_good_store_is_found_good_and_stays_empty(bool forWriting)
    {
        // A directory that is not there is no good store to read from; checking it for writing makes it one.
        if (!forWriting)
            await Store.CheckAsync(forWriting: true, Token);
        await Store.CheckAsync(forWriting, Token);
        (await List()).ShouldBeEmpty();
        (await CountOrphansAsync()).ShouldBe(0);
    }

    // --- Helpers --------------------------------------------------------------------------------------------------------

    /// <summary>Why a key cannot be tried here, or null. For services that refuse what S3 allows.</summary>
    protected virtual string? RefusedKeyReason(string key) => null;

    protected static byte[] Bytes(int count, int seed = 1)
    {
        var data = new byte[count];
        new Random(seed).NextBytes(data);
        return data;
    }

    protected static string Sha256(byte[] data) => Convert.ToHexStringLower(SHA256.HashData(data));

    protected static async Task<BackupException> Fails(FailureKind kind, Func<Task> action)
    {
        var failure = await Should.ThrowAsync<BackupException>(action);
        failure.Kind.ShouldBe(kind, failure.Message);
        return failure;
    }

    protected async Task<byte[]> ReadAll(string key, ReadOptions? options = null)
    {
        await using var content = await Store.ReadAsync(key, options, Token);
        using var buffer = new MemoryStream();
        await content.Stream.CopyToAsync(buffer, Token);
        return buffer.ToArray();
    }

    protected async Task<List<string>> List(string prefix = "") =>
        await Store.ListAsync(prefix, Token).Select(o => o.Key).ToListAsync(Token);

    protected async Task Delete(params string[] keys)
    {
        var results = await Store.DeleteAsync(keys.ToAsyncEnumerable(), Token).ToListAsync(Token);
        results.ShouldAllBe(r => r.Failure == null);
        results.Select(r => r.Key).Order(StringComparer.Ordinal).ShouldBe(keys.Order(StringComparer.Ordinal));
    }

    protected Task WriteAll(IEnumerable<string> keys) => Parallel.ForEachAsync(
        keys,
        new ParallelOptions { MaxDegreeOfParallelism = 16, CancellationToken = Token },
        async (key, token) => await Store.WriteAsync(key, new MemoryStream(Encoding.UTF8.GetBytes(key)), new() { Length = Encoding.UTF8.GetByteCount(key) }, token));

    private static IEnumerable<string> ByBytes(IEnumerable<string> keys) =>
        keys.OrderBy(Encoding.UTF8.GetBytes, Comparer<byte[]>.Create((x, y) => x.AsSpan().SequenceCompareTo(y)));

    private int SizeOf(string size) => size switch
    {
        "part-1" => PartSize - 1,
        "part" => PartSize,
        "part+1" => PartSize + 1,
        "2part-1" => (2 * PartSize) - 1,
        "2part" => 2 * PartSize,
        "2part+1" => (2 * PartSize) + 1,
        _ => int.Parse(size),
    };

    private async Task ShouldHold(StoredObject written, string key, byte[] data)
    {
        written.Key.ShouldBe(key);
        written.Size.ShouldBe(data.Length);
        written.Sha256.ShouldBe(Sha256(data));
        var head = (await Store.HeadAsync(key, null, Token)).ShouldNotBeNull();
        head.Key.ShouldBe(key);
        head.Size.ShouldBe(data.Length);
        (head.Sha256 ?? written.Sha256).ShouldBe(written.Sha256);
        var back = await ReadAll(key);
        back.Length.ShouldBe(data.Length);
        Sha256(back).ShouldBe(written.Sha256);
        (await CountOrphansAsync()).ShouldBe(0);
    }

    private async Task NothingIsLeft()
    {
        (await Store.HeadAsync(Key, null, Token)).ShouldBeNull();
        (await List()).ShouldBeEmpty();
        (await CountOrphansAsync()).ShouldBe(0);
    }

    private void NeedsVersions() => Assert.SkipUnless(Store.Abilities.Versions, "The store keeps no versions.");

    private sealed class Sum : IProgress<long>
    {
        private long _total;

        public long Total => Interlocked.Read(ref _total);

        public void Report(long value) => Interlocked.Add(ref _total, value);
    }
}
