namespace Backup.Engine.GitHub.Git;

/// <summary>What index-pack holds a pack against.</summary>
internal enum PackCheck
{
    /// <summary>Every object inflates, has the hash it is named by, is well formed, and all that it refers to is there. Slips of old tools are told, and let pass.</summary>
    Strict,

    /// <summary>As before, but whatever is in an object is let pass: for histories that no fsck accepts and that are kept nonetheless.</summary>
    Links,

    /// <summary>Every object inflates, and the pack has the hash it says: for what was proven before and is compared by its SHA-256.</summary>
    Hashes,
}

/// <summary>A pack that index-pack has accepted.</summary>
/// <param name="Pack">Its file.</param>
/// <param name="Index">The file of its index.</param>
/// <param name="Findings">What fsck let pass, the first of them.</param>
internal sealed record IngestedPack(string Pack, string Index, IReadOnlyList<string> Findings);

/// <summary>fsck refused an object's content. Its bytes are what the server has; only their form is bad.</summary>
internal sealed class FsckException(string message, IReadOnlyList<string> findings) : BackupException(FailureKind.Corrupt, message)
{
    /// <summary>What it said.</summary>
    public IReadOnlyList<string> Findings { get; } = findings;
}

/// <summary>Takes a pack in as it comes: <c>git index-pack</c> in a quarantine that sees the objects that were there before.</summary>
internal sealed class PackIngest : IAsyncDisposable
{
    private const int MaxFindings = 20;
    private const int MaxIdLine = 200;

    // Slips of tools long gone, which real histories are full of (fsck.h of git 2.31). Links, hashes and types stay errors.
    private static readonly string[] Tolerated =
    [
        "badDate", "badDateOverflow", "badEmail", "badFilemode", "badName", "badTimezone", "duplicateEntries", "emptyName", "fullPathname",
        "gitmodulesBlob", "gitmodulesLarge", "gitmodulesName", "gitmodulesPath", "gitmodulesSymlink", "gitmodulesUpdate", "gitmodulesUrl",
        "hasDot", "hasDotdot", "hasDotgit", "missingEmail", "missingNameBeforeEmail", "missingSpaceBeforeDate", "missingSpaceBeforeEmail",
        "multipleAuthors", "nulInCommit", "nullSha1", "treeNotSorted", "zeroPaddedDate", "zeroPaddedFilemode",
    ];

    private readonly GitProcess _process;
    private readonly string _objects;
    private readonly string _source;
    private readonly Task _reading;
    private string _said = "";

    private PackIngest(GitProcess process, string objects, string source)
    {
        (_process, _objects, _source) = (process, objects, source);
        _reading = process.ReadOutputAsync(async output =>
        {
            using var reader = new StreamReader(output, leaveOpen: true);
            _said = await reader.ReadLineAsync() ?? "";
        });
    }

    /// <summary>Starts it.</summary>
    /// <param name="git">The program.</param>
    /// <param name="repository">The repository that it belongs to.</param>
    /// <param name="objects">Where pack and index are put.</param>
    /// <param name="check">What the pack is held against.</param>
    /// <param name="source">Where it comes from, for messages.</param>
    /// <param name="durable">Whether the pack is kept.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static PackIngest Start(GitProgram git, string repository, string objects, PackCheck check, string source, bool durable, CancellationToken cancellationToken)
    {
        var command = new GitCommand
        {
            Git = git.Path,
            // -v: progress, by which one that hangs is told from one that works.
            Arguments = ["index-pack", "--stdin", "-v", .. Arguments(check)],
            Directory = repository,
            Repository = repository,
            ObjectDirectory = objects,
            Durable = durable,
        };
        return new(GitProcess.Start(command, cancellationToken), objects, source);
    }

    /// <summary>Takes in the next bytes.</summary>
    public async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            await _process.WriteAsync(bytes);
        }
        catch (IOException)
        {
            // It has given up, and says why.
            await FinishAsync();
            throw;
        }
    }

    /// <summary>The pack is complete: waits for the verdict.</summary>
    /// <exception cref="FsckException">An object's form is bad.</exception>
    /// <exception cref="BackupException"><see cref="FailureKind.Corrupt"/>: the pack is damaged, or lacks an object.</exception>
    public async Task<IngestedPack> FinishAsync()
    {
        _process.CloseInput();
        var exit = await _process.WaitAsync(_reading);
        var findings = exit.Error.Split('\n').Select(Finding).OfType<string>().Take(MaxFindings).ToArray();
        // 1: all links were followed, and some lead to objects that were there before.
        if (exit.Code is not (0 or 1))
        {
            throw exit.Error.Contains("fsck error", StringComparison.Ordinal) && findings.Length > 0
                ? new FsckException($"{_source} has an object that fsck refuses: {findings[^1]}.", findings)
                : exit.Error.Contains("No space left", StringComparison.OrdinalIgnoreCase)
                    ? new(FailureKind.NoSpace, $"There is no space left for the pack of {_source} in '{_objects}'.", "Free space on that volume, or choose another work folder.")
                    : new BackupException(FailureKind.Corrupt, $"The pack of {_source} is damaged or incomplete: {exit.Reason}.", "Run again.");
        }

        // "pack\t<hash>" or "keep\t<hash>"
        var hash = _said.Length < MaxIdLine ? _said[(_said.IndexOf('\t', StringComparison.Ordinal) + 1)..].Trim() : "";
        if (hash.Length == 0 || !hash.All(char.IsAsciiHexDigitLower))
            throw new BackupException(FailureKind.Unknown, "git index-pack does not say what it has written.");
        var pack = Path.Combine(_objects, "pack", $"pack-{hash}");
        return new(pack + ".pack", pack + ".idx", findings);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        try
        {
            await _reading;
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException or OperationCanceledException)
        {
            // It was ended.
        }
    }

    // "warning: object <id>: <name>: <what>" where it is let pass, "error: …" where it is not.
    private static string? Finding(string line)
    {
        foreach (var level in (string[])["warning: ", "error: "])
        {
            if (line.StartsWith(level + "object ", StringComparison.Ordinal))
                return RefAdvertisement.Printable(line[level.Length..]);
        }

        return null;
    }

    private static string[] Arguments(PackCheck check) => check switch
    {
        PackCheck.Strict => ["--strict=" + string.Join(',', Tolerated.Select(id => id + "=warn"))],
        PackCheck.Links => ["--check-self-contained-and-connected"],
        _ => [],
    };
}
