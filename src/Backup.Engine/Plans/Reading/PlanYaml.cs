using System.Text.RegularExpressions;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Backup.Engine.Plans;

/// <summary>
/// Reads YAML (1.2, core schema: <c>true</c>, <c>false</c>, <c>null</c> and numbers are those of JSON, and <c>no</c> is a word). Anchors and aliases
/// are refused, so that a file is no larger than it looks; so are tags and further documents.
/// </summary>
internal sealed partial class PlanYaml
{
    private readonly PlanProblems _problems;
    private readonly IParser _parser;

    private PlanYaml(string text, PlanProblems problems) => (_problems, _parser) = (problems, new Parser(new StringReader(text)));

    /// <summary>Reads a document; null where it is none, which is then among the problems.</summary>
    public static PlanNode? Read(string text, PlanProblems problems)
    {
        var yaml = new PlanYaml(text, problems);
        try
        {
            yaml._parser.Consume<StreamStart>();
            if (!yaml._parser.TryConsume<DocumentStart>(out _))
                return new PlanScalar(1, 1, PlanScalarKind.Null, "");
            var root = yaml.Value("", 0);
            yaml._parser.Consume<DocumentEnd>();
            return yaml._parser.TryConsume<DocumentStart>(out var second) ? throw Refused(second, "a second document begins here", "A plan is one document: leave out what follows '---'.") : root;
        }
        catch (PlanYamlException exception)
        {
            problems.Add((int)exception.Start.Line, (int)exception.Start.Column, "", exception.Message, exception.Advice);
            return null;
        }
        // The reader's own messages may quote what stands there. What it was not made for it throws in other ways.
        catch (Exception exception) when (exception is YamlException or InvalidOperationException or ArgumentException or IndexOutOfRangeException or FormatException or OverflowException)
        {
            var (line, column) = PlaceOf(exception, text, yaml._parser.Current);
            problems.Add(line, column, "", "here it is no YAML", "Look at that place, and before it, for indentation that does not fit, a tab, or a text that needs quotes.");
            return null;
        }
    }

    // It begins where the piece began that could not be read, and ends where that was found out. A tab in front of a line is said to be at the very beginning.
    private static (int Line, int Column) PlaceOf(Exception exception, string text, ParsingEvent? last)
    {
        var end = (exception as YamlException)?.End ?? last?.End ?? Mark.Empty;
        if (end.Line > 1 || end.Column > 1)
            return ((int)end.Line, (int)end.Column);
        var lines = text.Split('\n');
        var tab = Array.FindIndex(lines, line => line.AsSpan().TrimStart(' ').StartsWith('\t'));
        return tab < 0 ? (1, 1) : (tab + 1, lines[tab].IndexOf('\t', StringComparison.Ordinal) + 1);
    }

    private PlanNode Value(string path, int depth)
    {
        var here = _parser.Current!;
        if (depth > PlanLimits.MaxDepth)
            throw Refused(here, "it is nested too deeply", $"A plan has {PlanLimits.MaxDepth} levels at the most.");
        if (here is AnchorAlias or NodeEvent { Anchor.IsEmpty: false })
            throw Refused(here, "anchors (&) and aliases (*) are not read", "Write the value out; what all jobs share stands once at the top of the plan. A text that begins with such a sign needs quotes.");
        if (here is NodeEvent { Tag.IsEmpty: false })
            throw Refused(here, "tags (!) are not read", "Leave the tag out. A text that begins with such a sign needs quotes.");
        var (line, column) = ((int)here.Start.Line, (int)here.Start.Column);
        if (_parser.TryConsume<Scalar>(out var scalar))
            return new PlanScalar(line, column, scalar.Style == ScalarStyle.Plain ? KindOf(scalar.Value) : PlanScalarKind.Text, scalar.Value);
        if (_parser.TryConsume<SequenceStart>(out _))
        {
            var items = new List<PlanNode>();
            while (!_parser.TryConsume<SequenceEnd>(out _))
                items.Add(Value(PlanPath.Item(path, items.Count), depth + 1));
            return new PlanArray(line, column, items);
        }

        _parser.Consume<MappingStart>();
        var members = new List<PlanMember>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        while (!_parser.TryConsume<MappingEnd>(out _))
        {
            var name = Value(path, depth + 1) as PlanScalar ?? throw Refused(here, "a name is not a single word", "Write 'name: value'.");
            var below = PlanPath.Below(path, name.Text);
            var value = Value(below, depth + 1);
            if (names.Add(name.Text))
                members.Add(new(name.Text, name.Line, name.Column, value));
            else
                _problems.AddDuplicate(name.Line, name.Column, below);
        }

        return new PlanObject(line, column, members);
    }

    private static PlanScalarKind KindOf(string plain) => plain switch
    {
        "" or "~" or "null" or "Null" or "NULL" => PlanScalarKind.Null,
        "true" or "false" => PlanScalarKind.Flag,
        _ => Number().IsMatch(plain) ? PlanScalarKind.Number : PlanScalarKind.Text,
    };

    private static PlanYamlException Refused(ParsingEvent at, string what, string advice) => new(at.Start, at.End, what, advice);

    [GeneratedRegex(@"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\z", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Number();

    private sealed class PlanYamlException(Mark start, Mark end, string message, string advice) : YamlException(start, end, message)
    {
        public string Advice => advice;
    }
}
