using System.Globalization;
using System.Text;
using Backup.Engine.Runs;
using Microsoft.Extensions.Logging;

namespace Backup.Engine.GitHub.Git;

/// <summary>What a push did.</summary>
/// <param name="Written">Refs that were written.</param>
/// <param name="Unchanged">Refs that were there already.</param>
/// <param name="LeftOut">Refs that no server takes.</param>
/// <param name="Refused">Refs that this server refused.</param>
internal sealed record GitPushed(long Written, long Unchanged, long LeftOut, IReadOnlyList<RunFailure> Refused);

/// <summary>
/// Pushes branches and tags with <c>git push</c>, in slices that a server takes: GitHub ends a push above 2 GB. A branch that is larger
/// goes up by commits of its own first line, each a fast-forward; so a restore that was stopped goes on where it was.
/// The repository's own refs are used up by it.
/// </summary>
internal sealed class GitPush(PackPool pool, RefAdvertisement there, GitGeneration generation, GitRestoreOptions options)
{
    private const string RestoredPull = "refs/heads/restored/pr/";
    private const long MaxOutput = 256L << 20;

    // A server writes refs one by one and is silent meanwhile: a thousand are a few seconds, or a minute where its disk is slow.
    private const int MaxRefs = 1000;
    private const int StallFactor = 5;

    private readonly Dictionary<string, string> _there = there.Refs.ToDictionary(item => item.Name, item => item.ObjectId, StringComparer.Ordinal);
    private readonly HashSet<string> _has = new(StringComparer.Ordinal);
    private readonly List<RunFailure> _refused = [];

    /// <summary>Pushes what is not there.</summary>
    public async Task<GitPushed> RunAsync(CancellationToken cancellationToken)
    {
        var wanted = Wanted().ToArray();
        var missing = wanted.Where(item => _there.GetValueOrDefault(item.Name) != item.ObjectId).ToArray();
        using (var lookup = pool.Lookup())
            _has.UnionWith(_there.Values.Where(id => id.Length == pool.Format.HexLength && lookup.Contains(id)));
        if (missing.Length > 0 && await SizeAsync(missing.Select(item => item.ObjectId), cancellationToken) > options.MaxPush)
            await SliceAsync(missing, cancellationToken);
        foreach (var batch in Batches(missing))
            await PushAsync(batch, cancellationToken);
        var left = generation.Refs.Count - generation.ReadRefs().Count(item => Target(item) is not null);
        return new(missing.Length - _refused.Count, wanted.Length - missing.Length, left, _refused);
    }

    /// <summary>What the server says now and should not.</summary>
    public IEnumerable<RunFailure> Compare(RefAdvertisement now)
    {
        var refs = now.Refs.ToDictionary(item => item.Name, item => item.ObjectId, StringComparer.Ordinal);
        return Wanted()
            .Where(item => !IsRefused(item) && refs.GetValueOrDefault(item.Name) != item.ObjectId)
            .Select(item => new RunFailure(item.Name, FailureKind.Corrupt, $"After the push '{item.Name}' is not what was pushed."));
    }

    /// <summary>Branches and tags under their own names, HEAD's first: GitHub makes the first branch that comes the default one.</summary>
    private IEnumerable<GitRef> Wanted() => generation.ReadRefs()
        .Select(item => Target(item) is { } name ? item with { Name = name } : null)
        .OfType<GitRef>()
        .OrderBy(item => item.Name == generation.Head ? 0 : item.Name.StartsWith(RefName.Heads, StringComparison.Ordinal) ? 1 : 2);

    private string? Target(GitRef item)
    {
        if (item.Name.StartsWith(RefName.Heads, StringComparison.Ordinal) || item.Name.StartsWith(RefName.Tags, StringComparison.Ordinal))
            return item.Name;
        const string Head = "/head";
        return options.PullRequestBranches && item.Name.StartsWith(RefName.Pulls, StringComparison.Ordinal) && item.Name.EndsWith(Head, StringComparison.Ordinal)
            ? RestoredPull + item.Name[RefName.Pulls.Length..^Head.Length]
            : null;
    }

    private async Task SliceAsync(IReadOnlyList<GitRef> refs, CancellationToken cancellationToken)
    {
        foreach (var branch in refs.Where(item => item.Name.StartsWith(RefName.Heads, StringComparison.Ordinal)))
        {
            if (await SizeAsync([branch.ObjectId], cancellationToken) > options.MaxPush)
            {
                var line = await ReadLinesAsync(["rev-list", "--first-parent", "--reverse", "--stdin"], Revisions([branch.ObjectId]), cancellationToken);
                for (var start = 0; start < line.Length - 1;)
                {
                    start = await LastThatFitsAsync(line, start, cancellationToken);
                    options.Logger?.LogDebug("{Name}: pushing {Branch} up to commit {Index} of {Count}.", generation.Name, branch.Name, start + 1, line.Length);
                    if (!await PushAsync([branch with { ObjectId = line[start] }], cancellationToken))
                        break;
                    _has.Add(line[start]);
                    start++;
                }
            }

            // What a slice was refused for, the whole will be.
            if (!IsRefused(branch) && await PushAsync([branch], cancellationToken))
                _has.Add(branch.ObjectId);
        }
    }

    /// <summary>The last commit up to which a push is small enough; the first one where none is.</summary>
    private async Task<int> LastThatFitsAsync(string[] line, int start, CancellationToken cancellationToken)
    {
        var (low, high) = (start, line.Length - 1);
        while (low < high)
        {
            var middle = low + ((high - low + 1) / 2);
            if (await SizeAsync([line[middle]], cancellationToken) <= options.MaxPush)
                low = middle;
            else
                high = middle - 1;
        }

        return low;
    }

    private async Task<long> SizeAsync(IEnumerable<string> ids, CancellationToken cancellationToken)
    {
        var said = await ReadLinesAsync(["rev-list", "--objects", "--disk-usage", "--stdin"], Revisions(ids), cancellationToken);
        return said is [var digits] && long.TryParse(digits, CultureInfo.InvariantCulture, out var size) ? size : throw new BackupException(FailureKind.Unknown, "git rev-list does not say a size.");
    }

    private string Revisions(IEnumerable<string> ids)
    {
        var text = new StringBuilder();
        foreach (var id in ids)
            text.Append(id).Append('\n');
        foreach (var id in _has)
            text.Append('^').Append(id).Append('\n');
        return text.ToString();
    }

    private async Task<string[]> ReadLinesAsync(string[] arguments, string input, CancellationToken cancellationToken)
    {
        var said = await GitProcess.ReadAsync(pool.Command(arguments), cancellationToken, async process => await process.WriteAsync(Encoding.ASCII.GetBytes(input)), (int)MaxOutput);
        return said.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    private IEnumerable<IReadOnlyList<GitRef>> Batches(IReadOnlyList<GitRef> refs)
    {
        var left = refs.Where(item => !IsRefused(item) && _there.GetValueOrDefault(item.Name) != item.ObjectId).ToList();
        // Alone, so that it is the first.
        if (left is [{ } first, ..] && first.Name == generation.Head)
        {
            yield return [first];
            left.RemoveAt(0);
        }

        foreach (var batch in left.Chunk(MaxRefs))
            yield return batch;
    }

    private bool IsRefused(GitRef item) => _refused.Exists(failure => failure.Item == item.Name);

    /// <summary>One push. What the server refuses is noted; false where there was anything.</summary>
    private async Task<bool> PushAsync(IReadOnlyList<GitRef> refs, CancellationToken cancellationToken)
    {
        var remote = there.Remote;
        // The repository has just these refs now, so that one pattern names them all: no argument is ever too long, and git finds them in no time.
        pool.WriteRefs(refs, null);
        var command = pool.Command("push", "--porcelain", "--progress", "--no-verify", "--", remote.Url.AbsoluteUri, options.Force ? "+refs/*:refs/*" : "refs/*:refs/*") with
        {
            Remote = remote,
            Token = await remote.TokenAsync(cancellationToken),
            Stall = options.Stall * StallFactor,
        };
        var answers = new Dictionary<string, (char Flag, string Text)>(StringComparer.Ordinal);
        var exit = await GitProcess.RunAsync(command, cancellationToken, null, async output =>
        {
            using var reader = new StreamReader(output, leaveOpen: true);
            while (await reader.ReadLineAsync(CancellationToken.None) is { } line)
            {
                // "<flag>\t<from>:<to>\t<summary>"
                if (line.Split('\t') is [[var flag], var names, var text] && names.IndexOf(':', StringComparison.Ordinal) is >= 0 and var colon)
                    answers[names[(colon + 1)..]] = (flag, text);
            }
        });
        if (answers.Count == 0 && exit.Code != 0)
            throw Failed(exit);
        var isGood = true;
        foreach (var item in refs)
        {
            if (answers.TryGetValue(item.Name, out var answer) && answer.Flag != '!')
            {
                _there[item.Name] = item.ObjectId;
                continue;
            }

            isGood = false;
            var reason = answer.Text is { Length: > 0 } text ? RefAdvertisement.Printable(text) : exit.Reason;
            var isOther = reason.Contains("non-fast-forward", StringComparison.Ordinal) || reason.Contains("fetch first", StringComparison.Ordinal) || reason.Contains("already exists", StringComparison.Ordinal);
            _refused.Add(new(item.Name, isOther ? FailureKind.AlreadyExists : FailureKind.PermissionDenied, $"'{there.Remote}' refused '{item.Name}': {reason}."));
        }

        return isGood;
    }

    private BackupException Failed(GitExit exit)
    {
        var said = exit.Error;
        var kind = said switch
        {
            _ when said.Contains("Authentication failed", StringComparison.Ordinal) || said.Contains("could not read Username", StringComparison.Ordinal) || said.Contains("error: 401", StringComparison.Ordinal) => FailureKind.AuthenticationFailed,
            _ when said.Contains("error: 403", StringComparison.Ordinal) || said.Contains("denied", StringComparison.OrdinalIgnoreCase) => FailureKind.PermissionDenied,
            _ when said.Contains("error: 404", StringComparison.Ordinal) || said.Contains("not found", StringComparison.OrdinalIgnoreCase) => FailureKind.NotFound,
            _ when said.Contains("error: 429", StringComparison.Ordinal) => FailureKind.Throttled,
            _ => FailureKind.Unavailable,
        };
        return new(kind, $"'{there.Remote}' did not take the push: {exit.Reason}.", "Run again: what has arrived is not sent again.");
    }
}
