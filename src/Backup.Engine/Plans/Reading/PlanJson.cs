using System.Text;
using System.Text.Json;

namespace Backup.Engine.Plans;

/// <summary>Reads JSON with comments and trailing commas. Names are unique, and every piece knows its place.</summary>
internal ref struct PlanJson
{
    private readonly ReadOnlySpan<byte> _bytes;
    private readonly PlanProblems _problems;
    private Utf8JsonReader _reader;

    // Where the last piece stood: the next one stands behind it, so the file is looked through once.
    private int _offset;
    private int _line = 1;
    private int _lineStart;

    private PlanJson(ReadOnlySpan<byte> bytes, PlanProblems problems)
    {
        _bytes = bytes;
        _problems = problems;
        _reader = new(bytes, new() { AllowTrailingCommas = true, CommentHandling = JsonCommentHandling.Skip, MaxDepth = PlanLimits.MaxDepth });
    }

    /// <summary>Reads a document; null where it is none, which is then among the problems.</summary>
    public static PlanNode? Read(ReadOnlySpan<byte> bytes, PlanProblems problems)
    {
        var json = new PlanJson(bytes, problems);
        try
        {
            json._reader.Read();
            var root = json.Value("");
            // What stands behind the document is found by reading on.
            while (json._reader.Read())
            {
            }

            return root;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // The reader's own message quotes what stands there, which may be a secret: the place alone is told.
            var (line, column) = exception is JsonException { LineNumber: { } number, BytePositionInLine: { } position } ? ((int)number + 1, (int)position + 1) : json.Place((int)json._reader.TokenStartIndex);
            problems.Add(line, column, "", "here it is no JSON, or nested too deeply", "Look for a missing comma, quote or bracket at that place, or before it.");
            return null;
        }
    }

    private PlanNode Value(string path)
    {
        var (line, column) = Place((int)_reader.TokenStartIndex);
        switch (_reader.TokenType)
        {
            case JsonTokenType.StartObject:
                var members = new List<PlanMember>();
                var names = new HashSet<string>(StringComparer.Ordinal);
                while (_reader.Read() && _reader.TokenType == JsonTokenType.PropertyName)
                {
                    var (nameLine, nameColumn) = Place((int)_reader.TokenStartIndex);
                    var name = _reader.GetString()!;
                    var below = PlanPath.Below(path, name);
                    _reader.Read();
                    var value = Value(below);
                    if (names.Add(name))
                        members.Add(new(name, nameLine, nameColumn, value));
                    else
                        _problems.AddDuplicate(nameLine, nameColumn, below);
                }

                return new PlanObject(line, column, members);
            case JsonTokenType.StartArray:
                var items = new List<PlanNode>();
                while (_reader.Read() && _reader.TokenType != JsonTokenType.EndArray)
                    items.Add(Value(PlanPath.Item(path, items.Count)));
                return new PlanArray(line, column, items);
            case JsonTokenType.String:
                return new PlanScalar(line, column, PlanScalarKind.Text, _reader.GetString()!);
            case JsonTokenType.Number:
                return new PlanScalar(line, column, PlanScalarKind.Number, Encoding.UTF8.GetString(_reader.ValueSpan));
            case JsonTokenType.True or JsonTokenType.False:
                return new PlanScalar(line, column, PlanScalarKind.Flag, _reader.GetBoolean() ? "true" : "false");
            default:
                return new PlanScalar(line, column, PlanScalarKind.Null, "");
        }
    }

    private (int Line, int Column) Place(int offset)
    {
        offset = Math.Clamp(offset, _offset, _bytes.Length);
        var passed = _bytes[_offset..offset];
        _line += passed.Count((byte)'\n');
        if (passed.LastIndexOf((byte)'\n') is >= 0 and var last)
            _lineStart = _offset + last + 1;
        _offset = offset;
        return (_line, offset - _lineStart + 1);
    }
}
