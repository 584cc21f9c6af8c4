using Backup.Engine.Runs;

namespace Backup.Engine.Reports;

/// <summary>
/// Sources by name: <c>/srv/images</c>, <c>/srv/*</c>; of one system: <c>github/acme</c>, <c>folders//srv/*</c>; all of a system: <c>jira</c>.
/// <c>*</c> and <c>?</c> are wildcards; case does not count.
/// </summary>
/// <param name="Text">The pattern.</param>
public sealed record SourcePattern(string Text)
{
    private static readonly string[] Systems = ["folders", "confluence", "jira", "github", "maven", "ec2"];

    /// <summary>The system that the pattern names, or null.</summary>
    public string? System
    {
        get
        {
            var slash = Text.IndexOf('/', StringComparison.Ordinal);
            var word = slash < 0 ? Text : Text[..slash];
            return Array.Find(Systems, known => known.Equals(word, StringComparison.OrdinalIgnoreCase));
        }
    }

    /// <summary>The pattern without its system.</summary>
    public string Name => System is not { } system ? Text : Text.Length == system.Length ? "*" : Text[(system.Length + 1)..];

    /// <summary>How much of a name it fixes: of two that match, the one that says more is meant.</summary>
    internal int Specificity => Text.Count(c => c is not ('*' or '?'));

    /// <summary>Whether a source is meant.</summary>
    public bool Matches(string system, string name) =>
        (system.Equals(System, StringComparison.OrdinalIgnoreCase) && RunCatalog.NameMatches(Name, name)) || RunCatalog.NameMatches(Text, name);

    /// <inheritdoc/>
    public override string ToString() => Text;
}

/// <summary>How often some sources are expected to have a good run.</summary>
/// <param name="Sources">Which.</param>
/// <param name="Interval">The most that may lie between now and the newest good run.</param>
public sealed record ExpectedInterval(SourcePattern Sources, TimeSpan Interval);
