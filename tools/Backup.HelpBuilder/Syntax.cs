using System.Text;

namespace Backup.HelpBuilder;

/// <summary>Keeps the SYNTAX section of a page as the cmdlet's class has it.</summary>
internal static class Syntax
{
    private const int Width = 110;

    /// <summary>Rewrites the section where it differs.</summary>
    public static void Update(string file, CmdletInfo cmdlet)
    {
        var text = File.ReadAllText(file);
        var start = text.IndexOf("## SYNTAX\n", StringComparison.Ordinal) + "## SYNTAX\n".Length;
        var end = text.IndexOf("\n## ", start, StringComparison.Ordinal);
        var updated = text[..start] + "\n```text\n" + string.Join("\n\n", cmdlet.Sets().Select(set => Line(cmdlet, set))) + "\n```\n" + text[end..];
        if (!string.Equals(text, updated, StringComparison.Ordinal))
            File.WriteAllText(file, updated);
    }

    private static string Line(CmdletInfo cmdlet, string set)
    {
        var text = new StringBuilder(cmdlet.Name);
        var width = text.Length;
        foreach (var word in cmdlet.In(set).Select(Word).Append("[<CommonParameters>]"))
        {
            if (width + 1 + word.Length > Width)
            {
                text.Append("\n   ");
                width = 3;
            }

            text.Append(' ').Append(word);
            width += 1 + word.Length;
        }

        return text.ToString();
    }

    private static string Word(ParameterInfo p)
    {
        var name = p.Position is not null ? $"[-{p.Name}]" : $"-{p.Name}";
        var word = p.IsSwitch ? name : $"{name} <{(p.Values.Count > 0 ? string.Join('|', p.Values) : p.TypeName)}>";
        return p.Mandatory ? word : $"[{word}]";
    }
}
