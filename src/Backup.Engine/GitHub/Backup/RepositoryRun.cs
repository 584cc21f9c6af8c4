using System.Diagnostics;
using System.Text.Json;
using Backup.Engine.GitHub.Git;
using Backup.Engine.Http;
using Backup.Engine.Runs;
using Backup.Engine.Stores;
using Microsoft.Extensions.Logging;

namespace Backup.Engine.GitHub;

/// <summary>One repository, once: its refs, its wiki, its records. What goes wrong with a part leaves the other parts and the last good copy as they are.</summary>
internal sealed class RepositoryRun
{
    // What was pushed while the list was made may have the same time, and GitHub's lists lag a little.
    private static readonly TimeSpan Settled = TimeSpan.FromMinutes(10);

    private readonly RunContext _context;
    private readonly GitHubRepository _repository;
    private readonly KnownRepository? _before;
    private readonly GitRemote _remote;
    private readonly ILogger? _logger;
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly List<StoredObject> _stored = [];
    private readonly List<RunFailure> _failures = [];
    private readonly List<string> _plan = [];
    private readonly DateTimeOffset _now;
    private KnownRepository _known;
    private RepositoryStatus _status;
    private BackupException? _failure;
    private int? _refs;
    private long _records;

    public RepositoryRun(RunContext context, GitHubRepository repository, KnownRepository? before)
    {
        (_context, _repository, _before, _logger) = (context, repository, before, context.Options.Logger);
        _now = context.Time.GetUtcNow();
        _remote = new(repository.CloneUrl, context.Client.Tokens.GetAsync);
        _known = before ?? new() { Id = repository.Id, FullName = repository.FullName, Folder = RepositoryKeys.Folder(repository.Owner, repository.Name, repository.Id) };
        _known = _known with { ListedBy = repository.ListedBy ?? _known.ListedBy };
        if (_known.FullName != repository.FullName)
        {
            _status = RepositoryStatus.Renamed;
            _logger?.LogInformation("{Old} is {New} now; its backups go on in {Folder}.", _known.FullName, repository.FullName, _known.Folder);
            _known = _known with { FullName = repository.FullName, FormerNames = [.. _known.FormerNames, _known.FullName] };
        }
    }

    /// <summary>Runs. It throws nothing but a cancellation and what makes the store useless.</summary>
    public async Task<RepositoryOutcome> RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (_repository.Disabled)
                throw new RepositoryUnavailableException(RepositoryStatus.Disabled, FailureKind.PermissionDenied, $"'{_repository.FullName}' is disabled by GitHub.", "Its last backup is kept. See the notice on GitHub, or leave it out with -Exclude.");
            await GitAsync(cancellationToken);
            await PartAsync(GitHubContent.Wiki, "wiki", WikiAsync, cancellationToken);
            if (!_context.Options.WhatIf)
                await RecordsAsync(cancellationToken);
        }
        catch (BackupException exception) when (exception is RepositoryUnavailableException || !IsFatal(exception))
        {
            Fail("repository", exception);
        }
        catch (Exception exception) when (exception is not (OperationCanceledException or BackupException))
        {
            Fail("repository", BackupException.From(exception));
        }

        return Finish();
    }

    // A store or a token that has become useless is so for every repository.
    private static bool IsFatal(BackupException exception) =>
        exception.Kind is FailureKind.AuthenticationFailed or FailureKind.CredentialsExpired or FailureKind.NoSpace or FailureKind.WrongRegion or FailureKind.WrongOwner;

    private async Task PartAsync(GitHubContent content, string name, Func<CancellationToken, Task> part, CancellationToken cancellationToken)
    {
        if (!_context.Wants(content))
            return;
        try
        {
            await part(cancellationToken);
        }
        catch (Exception exception) when (exception is not (RepositoryUnavailableException or OperationCanceledException) && !(exception is BackupException known && IsFatal(known)))
        {
            // A body that breaks off is an exception of the network's own.
            Fail(name, exception is HttpIOException or HttpRequestException ? HttpFailure.NoAnswer(_repository.CloneUrl, exception) : BackupException.From(exception));
        }
    }

    private async Task GitAsync(CancellationToken cancellationToken)
    {
        if (!_context.Wants(GitHubContent.Git | GitHubContent.Lfs | GitHubContent.Zip) || IsUnchangedByListing())
            return;
        try
        {
            var refs = await RefAdvertisement.ReadAsync(_context.GitHttp, _remote, cancellationToken);
            _refs = refs.Refs.Count;
            if (refs.IsEmpty && _status == RepositoryStatus.Available)
                _status = RepositoryStatus.Empty;
            if (refs.Refused.Count > 0)
                _logger?.LogWarning("{Name}: {Count} refs have names that git itself refuses, and are not backed up: {Refs}.", _repository.FullName, refs.Refused.Count, string.Join(", ", refs.Refused.Take(5)));
            if (_context.Wants(GitHubContent.Git))
                await HistoryAsync(refs, cancellationToken);
            if (!refs.IsEmpty && _known.ZipDigest != refs.Digest)
                await PartAsync(GitHubContent.Zip, "zip", token => ZipAsync(refs, token), cancellationToken);
            if (!_context.Options.WhatIf)
                _known = _known with { PushedAt = _repository.PushedAt, ListedAt = _repository.ListedAt, ComparedAt = _now, RefsDigest = refs.Digest };
        }
        catch (BackupException exception) when (exception.Kind is FailureKind.NotFound or FailureKind.PermissionDenied or FailureKind.AuthenticationFailed)
        {
            throw await WhyAsync(exception, cancellationToken);
        }
        catch (BackupException exception) when (!IsFatal(exception))
        {
            Fail("git", exception);
        }
    }

    private bool IsUnchangedByListing() =>
        _before is { Tombstone: null, ComparedAt: { } compared, ListedAt: { } listed } known
        && known.PushedAt == _repository.PushedAt && _repository.ListedBy is not null
        && listed - (known.PushedAt ?? DateTimeOffset.MinValue) > Settled && compared + _context.Options.FullEvery > _now
        && (!_context.Wants(GitHubContent.Git) || known.Git?.IsComplete(_context.Wants(GitHubContent.Lfs)) == true)
        && (!_context.Wants(GitHubContent.Zip) || known.ZipDigest == known.RefsDigest);

    private async Task HistoryAsync(RefAdvertisement refs, CancellationToken cancellationToken)
    {
        var lfs = _context.Wants(GitHubContent.Lfs);
        if (_known.Git is { } git && git.Digest == refs.Digest && git.IsComplete(lfs))
            return;
        if (_context.Options.WhatIf)
        {
            if (_known.Git is not null)
                _plan.Add("what was pushed");
            else if (!refs.IsEmpty)
                _plan.Add($"all of its history ({refs.Refs.Count} {(refs.Refs.Count == 1 ? "ref" : "refs")})");
            return;
        }

        var result = await _context.Git.BackupAsync(Request(refs, GitPart.Repository, _known.Git), cancellationToken);
        Keep(result, "git");
        _known = _known with { Git = result.State, GitKeys = [.. result.Keys] };
    }

    private async Task WikiAsync(CancellationToken cancellationToken)
    {
        if (!_repository.HasWiki)
            return;
        RefAdvertisement refs;
        try
        {
            refs = await RefAdvertisement.ReadAsync(_context.GitHttp, _remote.Wiki(), cancellationToken);
        }
        catch (BackupException exception) when (exception.Kind is FailureKind.NotFound or FailureKind.AuthenticationFailed or FailureKind.PermissionDenied)
        {
            // has_wiki says that there may be one; without a page there is none.
            if (_known.Wiki is not null)
                _logger?.LogWarning("{Name}: the wiki is gone. Its last backup is kept.", _repository.FullName);
            return;
        }

        if ((refs.IsEmpty && _known.Wiki is null) || (_known.Wiki is { } wiki && wiki.Digest == refs.Digest && wiki.IsComplete(lfs: false)))
            return;
        if (_context.Options.WhatIf)
        {
            _plan.Add("the wiki");
            return;
        }

        var result = await _context.Git.BackupAsync(Request(refs, GitPart.Wiki, _known.Wiki), cancellationToken);
        Keep(result, "wiki");
        _known = _known with { Wiki = result.State, WikiKeys = [.. result.Keys] };
    }

    private GitBackupRequest Request(RefAdvertisement refs, GitPart part, GitState? previous) => new()
    {
        Remote = refs.Remote,
        Name = _repository.FullName,
        Id = _repository.Id,
        Folder = _known.Folder,
        Generation = _context.Generation,
        Part = part,
        Previous = previous,
        Advertised = refs,
        Lfs = part == GitPart.Repository && _context.Wants(GitHubContent.Lfs),
    };

    private void Keep(GitBackupResult result, string part)
    {
        _stored.AddRange(result.Stored);
        _failures.AddRange(result.Problems);
        if (result.Problems.Count > 0)
            _failure ??= new(result.Problems[0].Kind, $"{part} of '{_repository.FullName}' is not whole: {result.Problems[0].Message}", "What is there is stored. Run again when the server has the rest.");
    }

    private async Task ZipAsync(RefAdvertisement refs, CancellationToken cancellationToken)
    {
        var branch = refs.Head ?? $"refs/heads/{_repository.DefaultBranch ?? "main"}";
        if (_context.Options.WhatIf)
        {
            _plan.Add("an archive of its default branch");
            return;
        }

        using var response = await _context.Client.DownloadAsync(Operation.DownloadZipball, [_repository.Owner, _repository.Name, branch], "application/vnd.github+json", cancellationToken);
        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        await using var archive = new ZipTail(body, _repository.FullName);
        var key = $"{_known.Folder}/{_context.Generation}/archive.zip";
        var stored = await _context.Store.WriteAsync(key, archive, new() { Length = response.Content.Headers.ContentLength, StorageClass = _context.Options.StorageClass, ContentType = "application/zip" }, cancellationToken);
        _stored.Add(stored);
        _known = _known with { ZipKey = key, ZipDigest = refs.Digest };
    }

    /// <summary>git says only that it may not be read; the API says why.</summary>
    private async Task<BackupException> WhyAsync(BackupException refusal, CancellationToken cancellationToken)
    {
        try
        {
            var now = await _context.Client.GetAsync(Operation.GetRepository, [_repository.Owner, _repository.Name], GitHubJson.Default.MinimalRepository, cancellationToken);
            return now.Disabled == true
                ? new RepositoryUnavailableException(RepositoryStatus.Disabled, FailureKind.PermissionDenied, $"'{_repository.FullName}' is disabled by GitHub.", "Its last backup is kept. See the notice on GitHub, or leave it out with -Exclude.", refusal)
                : new RepositoryUnavailableException(RepositoryStatus.AccessLost, FailureKind.PermissionDenied, $"'{_repository.FullName}' may not be cloned with this token: {refusal.Message}", "Give the token the permission to read contents, or leave the repository out with -Exclude.", refusal);
        }
        catch (RepositoryUnavailableException exception)
        {
            return exception;
        }
        catch (BackupException exception) when (exception.Kind == FailureKind.NotFound)
        {
            return new RepositoryUnavailableException(RepositoryStatus.Vanished, FailureKind.NotFound, $"'{_repository.FullName}' was listed, and is not there any more.", "Its last backup is kept. Was it deleted, or did the token lose its access?", exception);
        }
        catch (BackupException exception) when (exception.Kind == FailureKind.PermissionDenied)
        {
            return new RepositoryUnavailableException(RepositoryStatus.AccessLost, FailureKind.PermissionDenied, $"'{_repository.FullName}' may not be read with this token: {exception.Message}", "Its last backup is kept. Give the token access again, or leave the repository out with -Exclude.", exception);
        }
    }

    private async Task RecordsAsync(CancellationToken cancellationToken)
    {
        foreach (var kind in RecordKind.OfRepository)
        {
            if ((kind == RecordKind.Issues && !_repository.HasIssues) || (kind.Content == GitHubContent.PullRequests && !_repository.HasPullRequests))
                continue;
            await PartAsync(kind.Content, kind.Name, token => CollectAsync(kind, token), cancellationToken);
        }

        await PartAsync(GitHubContent.Settings, "settings", SettingsAsync, cancellationToken);
    }

    private async Task CollectAsync(RecordKind kind, CancellationToken cancellationToken)
    {
        IReadOnlyList<object> values = [_repository.Owner, _repository.Name];
        try
        {
            if (kind == RecordKind.Pulls)
            {
                var changed = new List<long>();
                await KeepAsync(kind, values, item => { changed.Add(item.GetProperty("number").GetInt64()); return Task.CompletedTask; }, cancellationToken);
                await ReviewsAsync(values, changed, cancellationToken);
            }
            else
            {
                var releases = new List<JsonElement>();
                await KeepAsync(kind, values, kind == RecordKind.Releases ? item => { releases.Add(item); return Task.CompletedTask; } : null, cancellationToken);
                foreach (var release in releases)
                    await AssetsAsync(release, cancellationToken);
            }
        }
        catch (BackupException exception) when (exception is not RepositoryUnavailableException && exception.Kind is FailureKind.NotFound or FailureKind.PermissionDenied && IsOptional(kind))
        {
            // Issues that are turned off, settings that only administrators see.
            _logger?.LogInformation("{Name}: {Kind} are not visible with this token, or turned off.", _repository.FullName, kind.Name);
        }
    }

    private static bool IsOptional(RecordKind kind) => kind.Content is GitHubContent.Settings or GitHubContent.PullRequests or GitHubContent.Issues;

    private async Task KeepAsync(RecordKind kind, IReadOnlyList<object> values, Func<JsonElement, Task>? onRecord, CancellationToken cancellationToken)
    {
        var pass = await _context.Records.CollectAsync(kind, values, RecordKey(kind.Name), _known.Records.GetValueOrDefault(kind.Name), onRecord, cancellationToken);
        Keep(kind.Name, pass.State, pass.Stored, pass.Count);
    }

    private void Keep(string kind, RecordState state, StoredObject? stored, long count)
    {
        _records += count;
        if (stored is not null)
            _stored.Add(stored);
        _known = _known with { Records = new Dictionary<string, RecordState>(_known.Records, StringComparer.Ordinal) { [kind] = state } };
    }

    /// <summary>The reviews of pull requests that are new or changed: each request of its own, which is how the API has it.</summary>
    private async Task ReviewsAsync(IReadOnlyList<object> values, List<long> pulls, CancellationToken cancellationToken)
    {
        if (pulls.Count == 0)
            return;
        const string Kind = "reviews";
        await using var writer = new RecordWriter(_context.Store, RecordKey(Kind), cancellationToken);
        foreach (var pull in pulls)
        {
            await foreach (var review in _context.Client.ListAsync(Operation.ListReviews, [.. values, pull], "?per_page=100", null, cancellationToken))
                await writer.AddAsync(review);
        }

        var before = _known.Records.GetValueOrDefault(Kind);
        var isFull = _known.Records["pulls"].Files.Count <= 1;
        var stored = await writer.CompleteAsync(evenIfEmpty: isFull && before?.Files.Count > 0);
        if (stored is not null)
            Keep(Kind, new() { Files = isFull ? [stored.Key] : [.. before?.Files ?? [], stored.Key], FullAt = _now }, stored, writer.Count);
    }

    private async Task AssetsAsync(JsonElement element, CancellationToken cancellationToken)
    {
        var release = element.Deserialize(GitHubJson.Default.Release)!;
        foreach (var asset in release.Assets.Where(asset => asset.State is null or "uploaded" && !_known.Assets.ContainsKey(asset.Id)))
            await PartAsync(GitHubContent.Releases, $"asset '{asset.Name}' of release '{release.TagName}'", token => AssetAsync(asset, token), cancellationToken);
    }

    private async Task AssetAsync(ReleaseAsset asset, CancellationToken cancellationToken)
    {
        using var response = await _context.Client.DownloadAsync(Operation.GetReleaseAsset, [_repository.Owner, _repository.Name, asset.Id], "application/octet-stream", cancellationToken);
        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        const string Sha256 = "sha256:";
        var key = $"{_known.Folder}/assets/{asset.Id}";
        var stored = await _context.Store.WriteAsync(
            key,
            body,
            new()
            {
                Length = asset.Size,
                ExpectedSha256 = asset.Digest?.StartsWith(Sha256, StringComparison.Ordinal) == true ? asset.Digest[Sha256.Length..] : null,
                StorageClass = _context.Options.StorageClass,
            },
            cancellationToken);
        _stored.Add(stored);
        _known = _known with { Assets = new Dictionary<long, string>(_known.Assets) { [asset.Id] = key } };
    }

    /// <summary>What the listing itself says of the repository, without what moves by itself.</summary>
    private async Task SettingsAsync(CancellationToken cancellationToken)
    {
        const string Kind = "settings";
        var settings = JsonSerializer.SerializeToElement(
            new MinimalRepository
            {
                Id = _repository.Id,
                Name = _repository.Name,
                FullName = _repository.FullName,
                Owner = new(_repository.Owner, 0, _repository.OwnerType),
                Private = _repository.Visibility != "public",
                Visibility = _repository.Visibility,
                Fork = _repository.Fork,
                Archived = _repository.Archived,
                Description = _repository.Description,
                DefaultBranch = _repository.DefaultBranch,
                HasWiki = _repository.HasWiki,
                HasIssues = _repository.HasIssues,
                HasPullRequests = _repository.HasPullRequests,
                Topics = _repository.Topics,
            },
            GitHubJson.Default.MinimalRepository);
        var hash = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(settings, GitHubRecordJson.Default.JsonElement)));
        if (_known.Records.GetValueOrDefault(Kind)?.Sha256 == hash)
            return;
        await using var writer = new RecordWriter(_context.Store, RecordKey(Kind), cancellationToken);
        await writer.AddAsync(settings);
        var stored = await writer.CompleteAsync();
        Keep(Kind, new() { Files = [stored!.Key], FullAt = _now, Sha256 = hash }, stored, 1);
    }

    private string RecordKey(string kind) => $"{_known.Folder}/{_context.Generation}/{kind}.jsonl.gz";

    private void Fail(string part, BackupException exception)
    {
        if (exception is RepositoryUnavailableException { Status: var status })
            _status = status;
        _failure ??= exception;
        _failures.Add(new($"{_repository.FullName} ({part})", exception.Kind, exception.Message));
        _logger?.LogDebug("{Name}, {Part}: {Reason}", _repository.FullName, part, exception.Message);
    }

    private RepositoryOutcome Finish()
    {
        var outcome = _failure is not null ? Outcome.Failed : _stored.Count > 0 || _plan.Count > 0 ? Outcome.Completed : Outcome.Unchanged;
        var reason = _failure?.Message ?? (_plan.Count > 0 ? $"Would fetch {string.Join(", ", _plan)}." : _status == RepositoryStatus.Empty ? "It has no commit yet." : _context.Options.WhatIf ? "Would fetch nothing of its history." : null);
        if (_failure is RepositoryUnavailableException unavailable)
        {
            // Told once as a failure; from then on it is known, and no reason to wake anybody.
            if (_before?.Tombstone?.Status == unavailable.Status)
                outcome = Outcome.Skipped;
            else
                _known = _known with { Tombstone = new(unavailable.Status, _now, unavailable.Message), Failing = null };
        }
        else
        {
            _known = _failure is null ? _known with { Tombstone = null, Failing = null, LastGood = _now } : _known with { Failing = _failure.Message };
        }

        var result = new GitHubBackupResult
        {
            FullName = _repository.FullName,
            Id = _repository.Id,
            Destination = _context.Store.Location.ToString(),
            Folder = _known.Folder,
            RunId = _context.Writer.RunId,
            Outcome = outcome,
            Status = _status,
            Reason = reason,
            Kind = _failure?.Kind,
            Advice = _failure?.Advice,
            Objects = _stored.Count,
            Bytes = _stored.Sum(item => item.Size),
            Refs = _refs,
            Records = _records,
            LastGood = _known.LastGood,
            Failures = _failures,
            Duration = _clock.Elapsed,
            WhatIf = _context.Options.WhatIf,
        };
        return new(result, _known, _stored, IsWorthRemembering());
    }

    // A run in which nothing was stored and nothing was lost leaves no trace; what it learned is soon learned again.
    private bool IsWorthRemembering() =>
        _stored.Count > 0 || _known.FullName != _before?.FullName || _known.Tombstone != _before?.Tombstone || _known.Failing != _before?.Failing || _known.Git != _before?.Git || _known.Wiki != _before?.Wiki || WasWholePass();

    // Else every run from now on would make a whole pass.
    private bool WasWholePass() =>
        _before is not null
        && (_known.ComparedAt - _before.ComparedAt >= _context.Options.FullEvery
            || _known.Records.Any(pair => _before.Records.TryGetValue(pair.Key, out var record) && pair.Value.FullAt - record.FullAt >= _context.Options.FullEvery));
}

/// <summary>What became of a repository.</summary>
/// <param name="Result">For people.</param>
/// <param name="Known">For the next run.</param>
/// <param name="Stored">For the inventory.</param>
/// <param name="HasChanged">Whether the run is worth a manifest.</param>
internal sealed record RepositoryOutcome(GitHubBackupResult Result, KnownRepository Known, IReadOnlyList<StoredObject> Stored, bool HasChanged);
