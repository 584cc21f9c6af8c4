using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Backup.Engine.GitHub.Git;
using Backup.Engine.Http;
using Backup.Engine.Runs;
using Backup.Engine.Stores;
using Microsoft.Extensions.Logging;

namespace Backup.Engine.GitHub;

/// <summary>Gives repositories back: to directories, to GitHub, or to another git server. It may be repeated, and goes on where it was stopped.</summary>
public static class GitHubRestore
{
    /// <summary>Restores. A result a repository, failures included; names that nothing fits and a store that cannot be read end it.</summary>
    public static IAsyncEnumerable<GitHubRestoreResult> RunAsync(GitHubRestoreOptions options, IProgress<BackupProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        return Emission.RunAsync<GitHubRestoreResult>((emit, token) => RunAsync(options, emit, progress, token), cancellationToken);
    }

    private static async Task RunAsync(GitHubRestoreOptions options, Action<GitHubRestoreResult> emit, IProgress<BackupProgress>? progress, CancellationToken cancellationToken)
    {
        if (new[] { options.Path, options.Owner, options.Remote }.Count(target => target is not null) != 1)
            throw new BackupException(FailureKind.InvalidInput, "It is not clear where to restore to.", "Give one of -Path, -Owner and -Remote.");
        if (options.Remote is { } remote && !IsHttp(remote))
        {
            throw new BackupException(
                FailureKind.InvalidInput,
                "What -Remote says is not an http or https address without credentials.",
                "Give https://git.example.com/{owner}/{name}.git, and the token as -Token. For a server that is reached in another way restore with -Path, and push from there with git.");
        }

        await using var store = await ObjectStores.OpenAsync(options.From, options.Store, cancellationToken);
        await store.CheckAsync(forWriting: false, cancellationToken);
        var repositories = await RestoreSource.FindAsync(store, options.Names, options.At, cancellationToken);
        CheckTargets(options, repositories);
        if ((options.Content & (GitHubContent.Git | GitHubContent.Wiki)) != GitHubContent.None && !options.WhatIf)
            await GitProgram.FindAsync();
        using var client = new GitHubClient(options.Connection, options.Store.Time, options.Logger);
        using var http = new HttpSender(new() { MaxAttempts = 3, Time = options.Store.Time, Logger = options.Logger });
        using var work = options.WhatIf ? null : WorkFolder.Create(options.WorkPath);
        var meter = new ProgressMeter(progress, "Restoring repositories", null, repositories.Count);
        foreach (var repository in repositories)
        {
            emit(await new RepositoryRestore(options, store, client, http, work?.Path ?? "", repository, repositories).RunAsync(cancellationToken));
            meter.Finish(repository.FullName);
        }
    }

    private static bool IsHttp(string remote) =>
        Uri.TryCreate(remote.Replace("{owner}", "owner", StringComparison.Ordinal).Replace("{name}", "name", StringComparison.Ordinal), UriKind.Absolute, out var uri)
        && uri.Scheme is "http" or "https" && uri.UserInfo.Length == 0;

    /// <summary>Two repositories in one would be neither.</summary>
    private static void CheckTargets(GitHubRestoreOptions options, IReadOnlyList<KnownRepository> repositories)
    {
        if (options.Path is not null)
            return;
        var shared = repositories
            .Where(repository => RepositoryRestore.HasCopy(repository) && !RepositoryRestore.IsSuperseded(repository, repositories))
            .GroupBy(repository => RepositoryRestore.NameOf(options, repository), StringComparer.OrdinalIgnoreCase)
            .FirstOrDefault(group => group.Count() > 1)?.ToList();
        if (shared is not null)
        {
            throw new BackupException(
                FailureKind.InvalidInput,
                $"'{shared[0].FullName}' and '{shared[1].FullName}' would be restored into one and the same repository.",
                options.Owner is not null ? "Restore them into different accounts, one after the other." : "Write {owner} and {name} into the address where those belong.");
        }
    }
}

/// <summary>One repository, restored once.</summary>
internal sealed class RepositoryRestore(GitHubRestoreOptions options, IObjectStore store, GitHubClient client, HttpSender http, string work, KnownRepository source, IReadOnlyList<KnownRepository> all)
{
    private readonly List<RunFailure> _failures = [];
    private readonly string _owner = options.Owner ?? source.FullName.Split('/')[0];
    private readonly string _name = source.FullName.Split('/')[1];
    private long _refs;
    private long _lfs;
    private long _refsLeftOut;
    private bool _isNew;
    private RecordRestore? _records;

    /// <summary>Whether there is anything to restore.</summary>
    public static bool HasCopy(KnownRepository known) => known.Git is not null || known.Wiki is not null || known.Records.Count > 0;

    /// <summary>Whether a repository of the same name came after it.</summary>
    public static bool IsSuperseded(KnownRepository known, IReadOnlyList<KnownRepository> all) =>
        all.Any(other => other.Id != known.Id && HasCopy(other) && other.FullName.Equals(known.FullName, StringComparison.OrdinalIgnoreCase)
            && (known.Tombstone is null, known.Id).CompareTo((other.Tombstone is null, other.Id)) < 0);

    /// <summary>What tells its target from others: the name in the account, or the address.</summary>
    public static string NameOf(GitHubRestoreOptions options, KnownRepository known)
    {
        var parts = known.FullName.Split('/');
        return options.Remote is { } remote
            ? remote.Replace("{owner}", Uri.EscapeDataString(parts[0]), StringComparison.Ordinal).Replace("{name}", Uri.EscapeDataString(parts[1]), StringComparison.Ordinal)
            : parts[1];
    }

    /// <summary>Restores. It throws nothing but a cancellation.</summary>
    public async Task<GitHubRestoreResult> RunAsync(CancellationToken cancellationToken)
    {
        var clock = Stopwatch.StartNew();
        BackupException? failure = null;
        string? nothing = null;
        try
        {
            if (!HasCopy(source))
                nothing = (source.Tombstone?.Reason ?? source.Failing) is { } why ? $"It was never backed up: {why}" : "It was never backed up.";
            else if (options.Path is null && IsSuperseded(source, all))
                nothing = "Another repository has its name now: restore with -Path, which tells the two apart by their ids.";
            else if (options.Owner is null && source.Git is null && source.Wiki is null)
                nothing = "It has no history in the backup, and records are restored to GitHub alone: give -Owner, or take them as files with Restore-BackupRun.";
            if (nothing is not null && !HasCopy(source) && options.Names.Contains(source.FullName, StringComparer.OrdinalIgnoreCase))
                throw new BackupException(FailureKind.NotFound, $"'{source.FullName}' cannot be restored. {nothing}", "Get-BackupRun lists the runs, failed ones with the reason.");
            if (nothing is null && !options.WhatIf)
                await RestoreAsync(cancellationToken);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            failure = BackupException.From(exception);
            _failures.Add(new(source.FullName, failure.Kind, failure.Message));
        }

        _failures.AddRange(_records?.Failures ?? []);
        var first = failure is null && _failures.Count > 0 ? _failures[0] : null;
        var made = _refs + _lfs + (_records is { } records ? records.Labels + records.Milestones + records.Issues + records.Comments + records.Releases + records.Assets : 0);
        return new()
        {
            FullName = source.FullName,
            Target = Target(),
            Outcome = _failures.Count > 0 ? Outcome.Failed : nothing is not null ? Outcome.Skipped : made > 0 || _isNew || options.WhatIf ? Outcome.Completed : Outcome.Unchanged,
            Reason = failure?.Message ?? first?.Message ?? nothing ?? (options.WhatIf ? Plan() : source.Git?.Generation is not null && _refs == 0 && _isNew ? "It has no commit." : options.Owner is not null && NotRestored() is { Count: > 0 } left ? $"Not restored: {string.Join(", ", left)}." : null),
            Kind = failure?.Kind ?? first?.Kind,
            Advice = failure?.Advice ?? (first is null ? null : "What could be restored is there. Run it again to go on; Failures lists the rest."),
            Generation = source.Git?.Generation,
            Refs = _refs,
            LfsObjects = _lfs,
            Labels = _records?.Labels ?? 0,
            Milestones = _records?.Milestones ?? 0,
            Issues = _records?.Issues ?? 0,
            Comments = _records?.Comments ?? 0,
            Releases = _records?.Releases ?? 0,
            Assets = _records?.Assets ?? 0,
            IssueMap = _records?.IssueMap ?? new Dictionary<int, int>(),
            NotRestored = NotRestored(),
            Failures = _failures,
            Duration = clock.Elapsed,
            WhatIf = options.WhatIf,
        };
    }

    private List<string> NotRestored()
    {
        var left = new List<string>(_records?.NotRestored ?? []);
        if (_refsLeftOut > 0)
            left.Add(string.Create(CultureInfo.InvariantCulture, $"{_refsLeftOut:N0} {(_refsLeftOut == 1 ? "ref" : "refs")} that {(_refsLeftOut == 1 ? "is" : "are")} neither branch nor tag"));
        // What belongs to the repository's name and settings goes with it anyway.
        if (options.Owner is null)
            left.AddRange(source.Records.Where(record => record.Key != "settings" && record.Value.Files.Count > 0).Select(record => record.Key.Replace('-', ' ')).Order(StringComparer.Ordinal));
        return left;
    }

    private async Task RestoreAsync(CancellationToken cancellationToken)
    {
        if (options.Path is not null)
        {
            await ToFolderAsync(GitPart.Repository, Folder(""), source.Git, cancellationToken);
            if (options.Content.HasFlag(GitHubContent.Wiki))
                await ToFolderAsync(GitPart.Wiki, Folder(".wiki"), source.Wiki, cancellationToken);
            return;
        }

        if (options.Owner is not null)
            await EnsureRepositoryAsync(cancellationToken);
        var remote = new GitRemote(new Uri(Target()), client.Tokens.GetAsync);
        await ToRemoteAsync(GitPart.Repository, remote, source.Git, cancellationToken);
        if (options.Content.HasFlag(GitHubContent.Wiki) && source.Wiki is not null)
            await WikiAsync(remote.Wiki(), cancellationToken);
        if (options.Owner is null)
            return;
        _records = new(client, store, source, _owner, _name, options.Logger);
        await SetDefaultBranchAsync(cancellationToken);
        await _records.RunAsync(options.Content, cancellationToken);
    }

    private async Task ToFolderAsync(GitPart part, string folder, GitState? state, CancellationToken cancellationToken)
    {
        if (state is null || !options.Content.HasFlag(part == GitPart.Wiki ? GitHubContent.Wiki : GitHubContent.Git))
            return;
        _isNew |= !Directory.Exists(folder);
        Keep(await GitRestore.ToFolderAsync(store, folder, Git(part, state), cancellationToken));
    }

    private async Task ToRemoteAsync(GitPart part, GitRemote remote, GitState? state, CancellationToken cancellationToken)
    {
        if (state is null || (part == GitPart.Repository && !options.Content.HasFlag(GitHubContent.Git)))
            return;
        Keep(await GitRestore.ToRemoteAsync(store, http, remote, Git(part, state), cancellationToken));
    }

    private async Task WikiAsync(GitRemote remote, CancellationToken cancellationToken)
    {
        try
        {
            await ToRemoteAsync(GitPart.Wiki, remote, source.Wiki, cancellationToken);
        }
        catch (BackupException exception) when (exception.Kind is FailureKind.NotFound or FailureKind.AuthenticationFailed or FailureKind.PermissionDenied)
        {
            _failures.Add(new($"{source.FullName} (wiki)", exception.Kind, $"The wiki of '{_owner}/{_name}' is not there yet. GitHub makes it with its first page: create one in the browser, then run this again with -Force."));
        }
    }

    private GitRestoreOptions Git(GitPart part, GitState state) => new()
    {
        Folders = [source.Folder],
        Part = part,
        ManifestKey = state.ManifestKey,
        WorkPath = work,
        Lfs = part == GitPart.Repository && options.Content.HasFlag(GitHubContent.Lfs),
        Checkout = options.Checkout,
        Force = options.Force,
        PullRequestBranches = options.Content.HasFlag(GitHubContent.PullRequests),
        Logger = options.Logger,
    };

    private void Keep(GitRestoreResult result)
    {
        _refs += result.Refs;
        _lfs += result.LfsObjects;
        _refsLeftOut += result.RefsLeftOut;
        _failures.AddRange(result.Problems);
    }

    private async Task EnsureRepositoryAsync(CancellationToken cancellationToken)
    {
        if (await FindAsync(cancellationToken) is not null)
            return;
        var settings = await SettingsAsync(cancellationToken);
        var body = new JsonObject
        {
            ["name"] = _name,
            ["description"] = settings?.Description,
            // What was not public before is not made public now.
            ["private"] = settings?.Visibility != "public",
            ["has_issues"] = settings?.HasIssues ?? true,
            ["has_wiki"] = settings?.HasWiki ?? true,
            ["auto_init"] = false,
        };
        var self = client.Connection.Credential is { App: null } ? await client.GetAsync(Operation.GetAuthenticatedUser, [], GitHubJson.Default.SimpleUser, cancellationToken) : null;
        if (self?.Login.Equals(_owner, StringComparison.OrdinalIgnoreCase) == true)
            await client.WriteAsync(Operation.CreateRepositoryForAuthenticatedUser, [], body, cancellationToken);
        else
            await client.WriteAsync(Operation.CreateRepositoryInOrganization, [_owner], body, cancellationToken);
        _isNew = true;
        options.Logger?.LogInformation("{Owner}/{Name} was made.", _owner, _name);
    }

    private async Task<MinimalRepository?> FindAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await client.GetAsync(Operation.GetRepository, [_owner, _name], GitHubJson.Default.MinimalRepository, cancellationToken);
        }
        catch (BackupException exception) when (exception.Kind == FailureKind.NotFound)
        {
            return null;
        }
    }

    private async Task SetDefaultBranchAsync(CancellationToken cancellationToken)
    {
        if (source.Git is null || !options.Content.HasFlag(GitHubContent.Git))
            return;
        var generation = await GitGenerations.ReadAsync(store, source.Git.ManifestKey, cancellationToken);
        const string Heads = "refs/heads/";
        if (generation.Head?.StartsWith(Heads, StringComparison.Ordinal) != true)
            return;
        var branch = generation.Head[Heads.Length..];
        if ((await FindAsync(cancellationToken))?.DefaultBranch != branch)
            await client.WriteAsync(Operation.UpdateRepository, [_owner, _name], new() { ["default_branch"] = branch }, cancellationToken);
    }

    private async Task<MinimalRepository?> SettingsAsync(CancellationToken cancellationToken)
    {
        if (!source.Records.TryGetValue("settings", out var state) || state.Files.Count == 0)
            return null;
        await foreach (var element in RecordReader.FileAsync(store, state.Files[^1], cancellationToken))
            return System.Text.Json.JsonSerializer.Deserialize(element, GitHubJson.Default.MinimalRepository);
        return null;
    }

    private string Target() =>
        options.Path is not null ? Folder("")
        : options.Remote is not null ? NameOf(options, source)
        : new Uri(client.Connection.GitUri, $"{Uri.EscapeDataString(_owner)}/{Uri.EscapeDataString(_name)}.git").AbsoluteUri;

    // Names from a store become directories: they are encoded as keys are, and two of one name are told apart by their ids.
    private string Folder(string suffix)
    {
        var isAmbiguous = all.Count(other => other.FullName.Equals(source.FullName, StringComparison.OrdinalIgnoreCase)) > 1;
        var parts = RepositoryKeys.Folder(_owner, _name, source.Id).Split('/');
        var name = isAmbiguous ? parts[2] : parts[2][..parts[2].LastIndexOf('.')];
        return Path.Combine(options.Path!, parts[1], name + suffix + (options.Checkout ? "" : ".git"));
    }

    private string Plan() => source.Git is { } git
        ? $"Would restore generation {git.Generation}."
        : "Would restore its records; it has no history.";
}
