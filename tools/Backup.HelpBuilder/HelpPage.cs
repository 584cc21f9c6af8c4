using System.Text.RegularExpressions;

namespace Backup.HelpBuilder;

/// <summary>An example of a page: what it shows, the commands, and what they do.</summary>
internal sealed record HelpExample(string Title, string Code, string Text);

/// <summary>An input or output type of a page, and what it is.</summary>
internal sealed record HelpType(string Name, string Text);

/// <summary>A link of a page.</summary>
internal sealed record HelpLink(string Text, string? Uri);

/// <summary>The prose of one cmdlet's page, docs/cmdlets/Verb-Noun.md.</summary>
internal sealed partial class HelpPage
{
    private static readonly string[] _sections = ["SYNOPSIS", "SYNTAX", "DESCRIPTION", "EXAMPLES", "PARAMETERS", "INPUTS", "OUTPUTS", "NOTES", "RELATED LINKS"];

    public required string Name { get; init; }

    public required string Synopsis { get; init; }

    public required IReadOnlyList<string> Description { get; init; }

    public required IReadOnlyList<HelpExample> Examples { get; init; }

    public required IReadOnlyDictionary<string, string> Parameters { get; init; }

    public required IReadOnlyList<HelpType> Inputs { get; init; }

    public required IReadOnlyList<HelpType> Outputs { get; init; }

    public required IReadOnlyList<string> Notes { get; init; }

    public required IReadOnlyList<HelpLink> Links { get; init; }

    public static HelpPage Read(string file)
    {
        var text = File.ReadAllText(file).Replace("\r\n", "\n", StringComparison.Ordinal);
        var name = Path.GetFileNameWithoutExtension(file);
        if (!text.StartsWith($"# {name}\n", StringComparison.Ordinal))
            throw new InvalidDataException($"{file}: the first line must be '# {name}'.");
        var sections = Split(text, "## ").ToDictionary(s => s.Title, s => s.Body, StringComparer.Ordinal);
        foreach (var unknown in sections.Keys.Except(_sections, StringComparer.Ordinal))
            throw new InvalidDataException($"{file}: there is no section '{unknown}' in a help page.");
        foreach (var missing in _sections.Except(sections.Keys, StringComparer.Ordinal))
            throw new InvalidDataException($"{file}: the section '{missing}' is missing.");
        return new()
        {
            Name = name,
            Synopsis = Plain(sections["SYNOPSIS"]),
            Description = Paragraphs(sections["DESCRIPTION"]),
            Examples = [.. Split(sections["EXAMPLES"], "### ").Select(e => Example(file, e.Title, e.Body))],
            Parameters = Split(sections["PARAMETERS"], "### ").ToDictionary(p => p.Title.TrimStart('-'), p => string.Join("\n\n", Paragraphs(p.Body)), StringComparer.OrdinalIgnoreCase),
            Inputs = Types(sections["INPUTS"]),
            Outputs = Types(sections["OUTPUTS"]),
            Notes = Paragraphs(sections["NOTES"]),
            Links = [.. Link().Matches(sections["RELATED LINKS"]).Select(m => new HelpLink(m.Groups[1].Value, m.Groups[2].Value is var uri && uri.StartsWith("http", StringComparison.Ordinal) ? uri : null))],
        };
    }

    /// <summary>Markdown as text: links become their text, emphasis and code marks go, lines are joined.</summary>
    public static string Plain(string markdown)
    {
        var text = Link().Replace(markdown.Trim(), "$1");
        // Bold loses its stars; code keeps them, because there they are patterns.
        text = string.Concat(text.Split('`').Select((part, index) => index % 2 == 0 ? part.Replace("**", "", StringComparison.Ordinal) : part));
        // A list keeps its lines, everything else flows.
        return LineBreak().Replace(text, " ");
    }

    private static List<string> Paragraphs(string body) =>
        [.. body.Split("\n\n", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(Paragraph).Where(p => p.Length > 0)];

    // Code inside prose keeps its lines and loses its fence.
    private static string Paragraph(string text) =>
        text.StartsWith("```", StringComparison.Ordinal)
            ? string.Join('\n', text.Split('\n').Where(l => !l.StartsWith("```", StringComparison.Ordinal)).Select(l => "    " + l))
            : Plain(text);

    private static HelpExample Example(string file, string title, string body)
    {
        var match = Fence().Match(body);
        if (!match.Success)
            throw new InvalidDataException($"{file}: the example '{title}' has no powershell code.");
        return new(title, match.Groups[1].Value.Trim('\n'), string.Join("\n\n", Paragraphs(body[(match.Index + match.Length)..])));
    }

    private static List<HelpType> Types(string body) => [.. Split(body, "### ").Select(t => new HelpType(t.Title, string.Join("\n\n", Paragraphs(t.Body))))];

    private static IEnumerable<(string Title, string Body)> Split(string text, string mark)
    {
        string? title = null;
        var body = new List<string>();
        var code = false;
        foreach (var line in text.Split('\n'))
        {
            if (line.StartsWith("```", StringComparison.Ordinal))
                code = !code;
            if (!code && line.StartsWith(mark, StringComparison.Ordinal))
            {
                if (title is not null)
                    yield return (title, string.Join('\n', body));
                title = line[mark.Length..].Trim();
                body.Clear();
            }
            else
            {
                body.Add(line);
            }
        }

        if (title is not null)
            yield return (title, string.Join('\n', body));
    }

    [GeneratedRegex(@"\[(?<1>[^\]]+)\]\((?<2>[^)]+)\)", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Link();

    [GeneratedRegex(@"```powershell\n(?<1>.*?)\n```", RegexOptions.Singleline, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Fence();

    [GeneratedRegex(@"(?<!:)\n(?!\s*[-*|] )", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex LineBreak();
}
