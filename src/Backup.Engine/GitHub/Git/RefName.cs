namespace Backup.Engine.GitHub.Git;

/// <summary>Which names a ref may have: git's own rules (git-check-ref-format(1)), and that it lies below <c>refs/</c>.</summary>
internal static class RefName
{
    /// <summary>Branches.</summary>
    public const string Heads = "refs/heads/";

    /// <summary>Tags.</summary>
    public const string Tags = "refs/tags/";

    /// <summary>What GitHub keeps of pull requests: <c>refs/pull/N/head</c> and <c>refs/pull/N/merge</c>.</summary>
    public const string Pulls = "refs/pull/";

    private const string Root = "refs/";
    private const string Lock = ".lock";

    // Names are packed into one file and never become paths; a name longer than a path may be is nobody's branch.
    private const int MaxLength = 4096;

    /// <summary>Whether git takes this name for a ref.</summary>
    public static bool IsValid(ReadOnlySpan<char> name)
    {
        if (name.Length > MaxLength || !name.StartsWith(Root, StringComparison.Ordinal) || name.EndsWith("."))
            return false;
        if (name.Contains("..", StringComparison.Ordinal) || name.Contains("@{", StringComparison.Ordinal))
            return false;
        foreach (var c in name)
        {
            if (c is < ' ' or '\x7F' or ' ' or '~' or '^' or ':' or '?' or '*' or '[' or '\\')
                return false;
        }

        foreach (var range in name.Split('/'))
        {
            var part = name[range];
            if (part.IsEmpty || part[0] == '.' || part.EndsWith(Lock, StringComparison.Ordinal))
                return false;
        }

        return true;
    }

    /// <summary>Whether it is a pull request's ref of the kind that is wanted.</summary>
    public static bool IsWanted(string name, PullRefs pulls) => !name.StartsWith(Pulls, StringComparison.Ordinal) || pulls switch
    {
        PullRefs.None => false,
        PullRefs.Heads => !name.EndsWith("/merge", StringComparison.Ordinal),
        _ => true,
    };
}

/// <summary>Which of a pull request's refs are kept.</summary>
internal enum PullRefs
{
    /// <summary>What was proposed: <c>refs/pull/N/head</c>. GitHub makes <c>refs/pull/N/merge</c> by itself, and anew each time the base moves.</summary>
    Heads,

    /// <summary>Neither.</summary>
    None,

    /// <summary>Both.</summary>
    All,
}
