using System.Text;

namespace Backup.HelpBuilder;

/// <summary>An about_ topic: markdown in, the plain text that Get-Help shows out.</summary>
internal static class AboutPage
{
    private const int Width = 80;

    public static string Text(string markdown)
    {
        var text = new StringBuilder();
        var paragraph = new List<string>();
        var code = false;
        foreach (var line in markdown.Replace("\r\n", "\n", StringComparison.Ordinal).Split('\n'))
        {
            if (line.StartsWith("```", StringComparison.Ordinal))
            {
                Flush();
                code = !code;
            }
            else if (code)
            {
                text.Append("        ").Append(line).Append('\n');
            }
            else if (line.StartsWith('#'))
            {
                Flush();
                var title = line.TrimStart('#', ' ');
                text.Append(line.StartsWith("# ", StringComparison.Ordinal) ? "TOPIC\n    " + title : title.ToUpperInvariant()).Append('\n');
            }
            else if (line.StartsWith("- ", StringComparison.Ordinal))
            {
                Flush();
                paragraph.Add(line);
            }
            else if (string.IsNullOrWhiteSpace(line))
            {
                Flush();
                text.Append('\n');
            }
            else
            {
                paragraph.Add(line.Trim());
            }
        }

        Flush();
        return text.ToString().TrimEnd() + "\n";

        void Flush()
        {
            if (paragraph.Count == 0)
                return;
            var words = HelpPage.Plain(string.Join(' ', paragraph)).Split(' ', StringSplitOptions.RemoveEmptyEntries);
            var hanging = words[0] is "-" ? "      " : "    ";
            var width = 0;
            foreach (var word in words)
            {
                if (width > 0 && width + 1 + word.Length > Width)
                {
                    text.Append('\n').Append(hanging);
                    width = hanging.Length;
                }
                else if (width == 0)
                {
                    text.Append("    ");
                    width = 4;
                }
                else
                {
                    text.Append(' ');
                    width++;
                }

                text.Append(word);
                width += word.Length;
            }

            text.Append('\n');
            paragraph.Clear();
        }
    }
}
