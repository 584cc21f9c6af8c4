using System.Diagnostics;
using Backup.Engine.GitHub.Git;
using Backup.Engine.Runs;
using Backup.Engine.Stores;
using Microsoft.Extensions.Logging;

namespace Backup.Engine.GitHub;

/// <summary>What belongs to an account and to none of its repositories: gists, members, teams.</summary>
internal sealed class AccountRecords(RunContext context, SimpleUser account, bool isSelf, KnownRepository? before)
{
    private readonly List<StoredObject> _stored = [];
    private readonly List<RunFailure> _failures = [];
    private KnownRepository _known = before ?? new() { Id = 0, FullName = account.Login, Folder = FolderOf(account.Login) };
    private BackupException? _failure;
    private long _records;

    /// <summary>Reads and stores; null where there is nothing to read.</summary>
    public async Task<RepositoryOutcome?> RunAsync(CancellationToken cancellationToken)
    {
        var clock = Stopwatch.StartNew();
        var kinds = Kinds().Where(kind => context.Wants(kind.Content)).ToList();
        if (kinds.Count == 0 || context.Options.WhatIf)
            return null;
        foreach (var kind in kinds)
            await CollectAsync(kind, cancellationToken);
        if (_stored.Count == 0 && _failure is null)
            return null;
        if (_failure is null)
            _known = _known with { LastGood = context.Time.GetUtcNow() };
        var result = new GitHubBackupResult
        {
            FullName = account.Login,
            Id = 0,
            Destination = context.Store.Location.ToString(),
            Folder = _known.Folder,
            RunId = context.Writer.RunId,
            Outcome = _failure is null ? Outcome.Completed : Outcome.Failed,
            Reason = _failure?.Message,
            Kind = _failure?.Kind,
            Advice = _failure?.Advice,
            Objects = _stored.Count,
            Bytes = _stored.Sum(item => item.Size),
            Records = _records,
            LastGood = _known.LastGood,
            Failures = _failures,
            Duration = clock.Elapsed,
        };
        return new(result, _known, _stored, _stored.Count > 0);
    }

    // Repositories have their id behind their name: no repository can have this folder.
    private static string FolderOf(string login) => RepositoryKeys.Folder(login, "_account", 0)[..^2];

    private IEnumerable<RecordKind> Kinds() => account.Type == "Organization"
        ? [RecordKind.Members, RecordKind.Teams]
        : [isSelf ? RecordKind.Gists : RecordKind.GistsOfUser];

    private async Task CollectAsync(RecordKind kind, CancellationToken cancellationToken)
    {
        try
        {
            IReadOnlyList<object> values = kind == RecordKind.Gists ? [] : [account.Login];
            var pass = await context.Records.CollectAsync(kind, values, $"{_known.Folder}/{context.Generation}/{kind.Name}.jsonl.gz", _known.Records.GetValueOrDefault(kind.Name), null, cancellationToken);
            _records += pass.Count;
            if (pass.Stored is not null)
                _stored.Add(pass.Stored);
            _known = _known with { Records = new Dictionary<string, RecordState>(_known.Records, StringComparer.Ordinal) { [kind.Name] = pass.State } };
        }
        catch (BackupException exception) when (exception.Kind is FailureKind.NotFound or FailureKind.PermissionDenied)
        {
            // Whoever is no member may not see them; a token of another kind may see none.
            context.Options.Logger?.LogWarning("The {Kind} of {Account} are not visible with this token.", kind.Name, account.Login);
        }
        catch (BackupException exception)
        {
            _failure ??= exception;
            _failures.Add(new($"{account.Login} ({kind.Name})", exception.Kind, exception.Message));
        }
    }
}
