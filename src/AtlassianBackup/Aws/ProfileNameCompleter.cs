namespace AtlassianBackup;

/// <summary>Completes the profiles of the shared AWS files, where the AWS CLI and AWS.Tools keep them.</summary>
public sealed class ProfileNameCompleter : ListCompleter
{
    // More than any hand-written file; completion must not read through something huge.
    private const int MaxLines = 20_000;

    /// <inheritdoc/>
    protected override IEnumerable<(string Value, string Tip)> Values()
    {
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        var names = new SortedSet<string>(StringComparer.Ordinal);
        names.UnionWith(Sections(Environment.GetEnvironmentVariable("AWS_SHARED_CREDENTIALS_FILE") ?? Path.Combine(home, ".aws", "credentials")));
        names.UnionWith(Sections(Environment.GetEnvironmentVariable("AWS_CONFIG_FILE") ?? Path.Combine(home, ".aws", "config")));
        return names.Select(name => (name, $"AWS profile {name}"));
    }

    private static IEnumerable<string> Sections(string file)
    {
        if (!File.Exists(file))
            yield break;
        foreach (var line in File.ReadLines(file).Take(MaxLines).Select(line => line.Trim()))
        {
            if (line is not ['[', .., ']'])
                continue;
            var name = line[1..^1].Trim();
            // The config file says [profile x], and has sections that are no profiles.
            if (name.StartsWith("profile ", StringComparison.Ordinal))
                name = name[8..].Trim();
            else if (name.StartsWith("sso-session ", StringComparison.Ordinal) || name.StartsWith("services ", StringComparison.Ordinal))
                continue;
            if (name.Length > 0)
                yield return name;
        }
    }
}
