using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Backup.Engine.Stores;

namespace Backup.Engine.GitHub;

/// <summary>Reads one kind of record and stores what is new of it.</summary>
/// <param name="client">The API.</param>
/// <param name="store">The store.</param>
/// <param name="fullEvery">How old the whole file may be.</param>
/// <param name="isPlan">Whether nothing is written.</param>
/// <param name="time">The clock.</param>
internal sealed class RecordCollector(GitHubClient client, IObjectStore store, TimeSpan fullEvery, bool isPlan, TimeProvider time)
{
    // A long chain makes a restore read many files.
    private const int MaxFiles = 50;

    /// <summary>Reads and stores.</summary>
    /// <param name="kind">The kind.</param>
    /// <param name="values">What the operation's path is filled with.</param>
    /// <param name="key">Where a new file goes.</param>
    /// <param name="previous">What is stored, or null.</param>
    /// <param name="onRecord">Told of each new record.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    public async Task<RecordPass> CollectAsync(RecordKind kind, IReadOnlyList<object> values, string key, RecordState? previous, Func<JsonElement, Task>? onRecord, CancellationToken cancellationToken)
    {
        if (isPlan)
            return new(previous ?? new(), null, 0);
        if (kind.Mode == RecordMode.Whole)
            return await WholeAsync(kind, values, key, previous, onRecord, cancellationToken);
        await using var writer = new RecordWriter(store, key, cancellationToken);
        var pass = new Pass(previous, IsDue(previous), time);
        await ReadPagesAsync(pass, kind, values, writer, onRecord, cancellationToken);
        // A whole pass that finds nothing replaces what was there before.
        var stored = await writer.CompleteAsync(evenIfEmpty: pass.IsFull && previous?.Files.Count > 0);
        if (stored is not null && kind.Mode == RecordMode.Since)
            await CloseAsync(pass, kind, values, cancellationToken);
        return new(pass.End(stored), stored, writer.Count);
    }

    private bool IsDue(RecordState? previous) => previous is null || previous.Files.Count >= MaxFiles || previous.FullAt + fullEvery <= time.GetUtcNow();

    /// <summary>Goes through a list page by page, until it says that nothing is new, or comes to what is stored already.</summary>
    private async Task ReadPagesAsync(Pass pass, RecordKind kind, IReadOnlyList<object> values, RecordWriter writer, Func<JsonElement, Task>? onRecord, CancellationToken cancellationToken)
    {
        var query = kind.Mode == RecordMode.Since && pass.Since is { } since ? $"{kind.Query}&since={Uri.EscapeDataString(Stamp(since))}" : kind.Query;
        for (var next = client.Address(kind.Operation, values, query); next is not null;)
        {
            using var page = await client.GetPageAsync(kind.Operation, values, next, pass.IsFirst ? pass.ETagOf(next) : null, cancellationToken);
            pass.Begin(page, next);
            if (page.NotModified)
                return;
            foreach (var item in page.Items(kind.Operation, kind.Property))
            {
                if (pass.IsOld(item, kind.Mode))
                    return;
                if (kind.Mode != RecordMode.Growing && !pass.IsNew(item))
                    continue;
                await writer.AddAsync(item);
                if (onRecord is not null)
                    await onRecord(item);
            }

            next = page.Next;
        }
    }

    /// <summary>Asks what the next pass will ask, so that it has the tag by which it learns that nothing is new. Where something is new already, it has none.</summary>
    private async Task CloseAsync(Pass pass, RecordKind kind, IReadOnlyList<object> values, CancellationToken cancellationToken)
    {
        var address = client.Address(kind.Operation, values, $"{kind.Query}&since={Uri.EscapeDataString(Stamp(pass.NextSince))}");
        using var page = await client.GetPageAsync(kind.Operation, values, address, null, cancellationToken);
        if (page.Next is null && page.Items(kind.Operation, kind.Property).All(pass.IsSeen))
            pass.Close(address, page.ETag);
    }

    private async Task<RecordPass> WholeAsync(RecordKind kind, IReadOnlyList<object> values, string key, RecordState? previous, Func<JsonElement, Task>? onRecord, CancellationToken cancellationToken)
    {
        if (previous?.ETags is { Count: > 0 } tags && !IsDue(previous) && await AreUnchangedAsync(kind, values, tags, cancellationToken))
            return new(previous, null, 0);
        var etags = new Dictionary<string, string>(StringComparer.Ordinal);
        var lines = new List<JsonElement>();
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (var next = client.Address(kind.Operation, values, kind.Query); next is not null;)
        {
            using var page = await client.GetPageAsync(kind.Operation, values, next, null, cancellationToken);
            Remember(etags, next, page);
            foreach (var item in page.Items(kind.Operation, kind.Property))
            {
                foreach (var record in await DetailsAsync(kind, values, item, etags, cancellationToken))
                {
                    var kept = RecordCleaner.Clean(kind, record);
                    lines.Add(kept);
                    hash.AppendData(JsonSerializer.SerializeToUtf8Bytes(kept, GitHubRecordJson.Default.JsonElement));
                }
            }

            next = page.Next;
        }

        var sha256 = Convert.ToHexStringLower(hash.GetHashAndReset());
        var state = new RecordState { ETags = etags, Sha256 = sha256, Files = previous?.Files ?? [], FullAt = time.GetUtcNow() };
        foreach (var line in lines)
        {
            if (onRecord is not null)
                await onRecord(line);
        }

        if (previous?.Sha256 == sha256 || (previous is null && lines.Count == 0))
            return new(state, null, 0);
        await using var writer = new RecordWriter(store, key, cancellationToken);
        foreach (var line in lines)
            await writer.AddAsync(line);
        var stored = await writer.CompleteAsync(evenIfEmpty: true);
        return new(state with { Files = [stored!.Key] }, stored, writer.Count);
    }

    private async Task<IReadOnlyList<JsonElement>> DetailsAsync(RecordKind kind, IReadOnlyList<object> values, JsonElement item, Dictionary<string, string> etags, CancellationToken cancellationToken)
    {
        if (kind == RecordKind.Teams)
            return [await TeamAsync(values, item, cancellationToken)];
        if (kind.Detail is not { } detail)
            return [item.Clone()];
        var detailValues = detail.Values(values, item);
        var address = client.Address(detail.Operation, detailValues);
        try
        {
            using var page = await client.GetPageAsync(detail.Operation, detailValues, address, null, cancellationToken);
            Remember(etags, address, page);
            var record = page.Document!.RootElement;
            // A protection does not say whose it is.
            return [kind == RecordKind.BranchProtections ? With(record, "name", item.GetProperty("name")) : record.Clone()];
        }
        catch (BackupException exception) when (exception.Kind == FailureKind.NotFound)
        {
            // Gone since the list, or protected by a ruleset alone.
            return [item.Clone()];
        }
    }

    private async Task<JsonElement> TeamAsync(IReadOnlyList<object> values, JsonElement team, CancellationToken cancellationToken)
    {
        IReadOnlyList<object> of = [.. values, team.GetProperty("slug").GetString()!];
        var members = new JsonArray();
        await foreach (var member in client.ListAsync(Operation.ListTeamMembers, of, "?per_page=100", null, cancellationToken))
            members.Add(JsonObject.Create(member.Clone()));
        var repositories = new JsonArray();
        await foreach (var repository in client.ListAsync(Operation.ListTeamRepositories, of, "?per_page=100", null, cancellationToken))
        {
            repositories.Add(new JsonObject
            {
                ["full_name"] = repository.GetProperty("full_name").GetString(),
                ["role_name"] = repository.TryGetProperty("role_name", out var role) ? role.GetString() : null,
            });
        }

        var whole = JsonObject.Create(team.Clone())!;
        whole["members"] = members;
        whole["repositories"] = repositories;
        return JsonSerializer.SerializeToElement(whole, GitHubRecordJson.Default.JsonObject);
    }

    /// <summary>Whether every page and detail is as it was: answers that cost nothing.</summary>
    private async Task<bool> AreUnchangedAsync(RecordKind kind, IReadOnlyList<object> values, IReadOnlyDictionary<string, string> tags, CancellationToken cancellationToken)
    {
        // A team's members are not part of its own page.
        if (kind == RecordKind.Teams)
            return false;
        foreach (var (address, tag) in tags)
        {
            try
            {
                using var page = await client.GetPageAsync(kind.Operation, values, new Uri(client.Connection.BaseUri, address), tag, cancellationToken);
                if (!page.NotModified)
                    return false;
            }
            catch (BackupException exception) when (exception.Kind == FailureKind.NotFound)
            {
                return false;
            }
        }

        return true;
    }

    private static void Remember(Dictionary<string, string> etags, Uri address, GitHubPage page)
    {
        if (page.ETag is { } tag)
            etags[address.PathAndQuery] = tag;
    }

    private static JsonElement With(JsonElement record, string name, JsonElement value)
    {
        var whole = JsonObject.Create(record.Clone())!;
        whole[name] = JsonValue.Create(value.Clone());
        return JsonSerializer.SerializeToElement(whole, GitHubRecordJson.Default.JsonObject);
    }

    internal static string Stamp(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    /// <summary>One pass over a kind that grows, and what the next one has to know.</summary>
    private sealed class Pass(RecordState? previous, bool isFull, TimeProvider time)
    {
        private readonly Dictionary<string, string> _seen = new(StringComparer.Ordinal);
        private DateTimeOffset? _date;
        private string? _address;
        private string? _etag;
        private bool _notModified;
        private bool _isClosed;
        private long _lastId;

        public bool IsFull { get; } = isFull;

        public bool IsFirst => _date is null;

        public DateTimeOffset? Since { get; } = isFull ? null : previous?.Since;

        public string? ETagOf(Uri address) => IsFull ? null : previous?.ETags?.GetValueOrDefault(address.PathAndQuery);

        private static DateTimeOffset UpdatedAt(JsonElement item) =>
            item.TryGetProperty("updated_at", out var time) && time.TryGetDateTimeOffset(out var updated) ? updated : DateTimeOffset.MaxValue;

        public void Begin(GitHubPage page, Uri address)
        {
            if (!IsFirst)
                return;
            (_date, _notModified, _address, _etag) = (page.Date, page.NotModified, address.PathAndQuery, page.ETag);
        }

        /// <summary>From when on the next pass asks: times are whole seconds, and what is updated within the second of this pass is given again.</summary>
        public DateTimeOffset NextSince => DateTimeOffset.FromUnixTimeSeconds(_date!.Value.ToUnixTimeSeconds());

        /// <summary>Whether it is not stored yet as it is now.</summary>
        public bool IsNew(JsonElement item)
        {
            var (id, hash) = Fingerprint(item);
            if (UpdatedAt(item) >= NextSince)
                _seen[id] = hash;
            return IsFull || previous?.Boundary?.GetValueOrDefault(id) != hash;
        }

        /// <summary>Whether this pass has had it as it is now.</summary>
        public bool IsSeen(JsonElement item)
        {
            var (id, hash) = Fingerprint(item);
            return _seen.GetValueOrDefault(id) == hash;
        }

        /// <summary>The next pass asks this, and has this tag.</summary>
        public void Close(Uri address, string? etag) => (_address, _etag, _isClosed) = (address.PathAndQuery, etag, true);

        private static (string Id, string Hash) Fingerprint(JsonElement item) => (
            item.GetProperty("id").GetInt64().ToString(CultureInfo.InvariantCulture),
            Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(item, GitHubRecordJson.Default.JsonElement)))[..16]);

        /// <summary>Whether this and all that follows is stored already: lists that have the newest first.</summary>
        public bool IsOld(JsonElement item, RecordMode mode) => mode switch
        {
            RecordMode.Growing => !IsNewer(item),
            RecordMode.NewestUpdateFirst => Since is { } since && UpdatedAt(item) < since,
            _ => false,
        };

        private bool IsNewer(JsonElement item)
        {
            var id = item.GetProperty("id").GetInt64();
            _lastId = Math.Max(_lastId, id);
            return IsFull || id > previous!.LastId;
        }

        public RecordState End(StoredObject? stored)
        {
            // Where nothing was new the question stays the same, so that its answer can be that nothing is new.
            if (stored is null && previous is not null && (_notModified || !IsFull))
                return _notModified || _etag is null ? previous : previous with { ETags = Tags() };
            var hasAny = stored is not null || previous?.Files.Count > 0;
            return new()
            {
                Files = stored is null ? [] : IsFull ? [stored.Key] : [.. previous!.Files, stored.Key],
                FullAt = IsFull ? time.GetUtcNow() : previous!.FullAt,
                Since = hasAny ? NextSince : null,
                Boundary = _seen.Count > 0 ? _seen : null,
                LastId = Math.Max(_lastId, previous?.LastId ?? 0),
                ETags = hasAny && IsSinceKind && !_isClosed ? null : Tags(),
            };
        }

        // What is asked next time is another question, whose answer has another tag.
        private bool IsSinceKind => _address!.Contains("sort=created", StringComparison.Ordinal);

        private Dictionary<string, string> Tags() => _etag is null ? new(StringComparer.Ordinal) : new(StringComparer.Ordinal) { [_address!] = _etag };    }
}

/// <summary>What a pass gave.</summary>
/// <param name="State">What the next one has to know.</param>
/// <param name="Stored">The file that was stored, or null where nothing was new.</param>
/// <param name="Count">How many records it holds.</param>
internal sealed record RecordPass(RecordState State, StoredObject? Stored, long Count);
