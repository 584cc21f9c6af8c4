using System.Buffers;
using System.Text;

namespace Backup.Engine.Atlassian.Exports;

/// <summary>
/// Proves that an XML document is complete: elements nest and close down to the root's, attributes are quoted, comments, CDATA and instructions end, and nothing
/// follows the root. It takes the bytes as they come, holds the open elements' names only, and expands nothing, so that no document can make it work or hold more.
/// <para>
/// It is lenient on purpose in what exports are known to hold: control characters and U+FFFF, which Jira and Confluence write and XML forbids. Characters and
/// entity references are therefore not looked at: the entry's CRC-32 proves the bytes, this proves that the exporter came to its end.
/// </para>
/// </summary>
internal sealed class XmlProof
{
    private const int MostDepth = 256;
    private const int MostNames = 64 * 1024;
    internal const int MostValue = 256;
    private const int Root = 1;

    private static readonly SearchValues<byte> NameEnd = SearchValues.Create(" \t\r\n/>=<\"'"u8);
    private static readonly SearchValues<byte> DoubleQuoted = SearchValues.Create("\"<"u8);
    private static readonly SearchValues<byte> SingleQuoted = SearchValues.Create("'<"u8);

    // The open elements' names, one behind the other, and where each begins.
    private readonly int[] _starts = new int[MostDepth];
    private readonly byte[] _attribute = new byte[MostValue];
    private readonly byte[] _value = new byte[MostValue];
    private byte[] _names = new byte[1024];
    private int _namesLength;
    private int _depth;
    private int _matched;
    private int _attributeLength;
    private int _valueLength;
    private bool _rootSeen;
    private State _state = State.Start;
    private long _position;

    private enum State
    {
        Start,
        Content,
        Open,
        StartName,
        InTag,
        AttributeName,
        AfterAttributeName,
        BeforeValue,
        DoubleQuoted,
        SingleQuoted,
        AfterValue,
        EmptyTag,
        EndName,
        AfterEndName,
        Markup,
        Comment,
        CData,
        Instruction,
    }

    /// <summary>Called at each attribute of the root and of its children.</summary>
    public AttributeHandler? Attribute { get; init; }

    /// <summary>Called at the name of the root and of each of its children.</summary>
    public ElementHandler? Element { get; init; }

    /// <summary>What is wrong, or null: the rest of a sentence that begins with the document's name.</summary>
    public string? Problem { get; private set; }

    /// <summary>Goes on with the document's next bytes.</summary>
    public void Append(ReadOnlySpan<byte> data)
    {
        while (Problem is null && !data.IsEmpty)
        {
            var taken = Step(data);
            _position += taken;
            data = data[taken..];
        }
    }

    /// <summary>The document ends here.</summary>
    public void End()
    {
        if (Problem is not null)
            return;
        if (_depth > 0)
            Problem = $"ends at its byte {_position} with <{Innermost()}> still open";
        else if (!_rootSeen || _state != State.Content)
            Problem = $"ends at its byte {_position} before its root element does";
    }

    private int Step(ReadOnlySpan<byte> data)
    {
        var next = data[0];
        switch (_state)
        {
            case State.Start:
                return AtStart(next);
            case State.Content:
                return InContent(data);
            case State.Open:
                return AfterOpen(next);
            case State.StartName:
                return InStartName(data);
            case State.InTag:
                return InTag(next);
            case State.AttributeName:
                return InAttributeName(data);
            case State.AfterAttributeName:
                return IsSpace(next) ? 1 : next == '=' ? Go(State.BeforeValue) : Fail("has an attribute without a value");
            case State.BeforeValue:
                return IsSpace(next) ? 1 : next switch
                {
                    (byte)'"' => Go(State.DoubleQuoted),
                    (byte)'\'' => Go(State.SingleQuoted),
                    _ => Fail("has an attribute whose value is not quoted"),
                };
            case State.DoubleQuoted:
            case State.SingleQuoted:
                return InValue(data);
            case State.AfterValue:
                return IsSpace(next) ? Go(State.InTag) : next is (byte)'/' or (byte)'>' ? Go(State.InTag, 0) : Fail("has no space between two attributes");
            case State.EmptyTag:
                return next == '>' ? Close() : Fail("has a '/' that does not end its tag");
            case State.EndName:
                return InEndName(data);
            case State.AfterEndName:
                return IsSpace(next) ? 1 : next == '>' ? Close() : Fail("has an end tag with more than a name in it");
            case State.Markup:
                return InMarkup(next);
            case State.Comment:
                return Until(data, (byte)'-', 2);
            case State.CData:
                return Until(data, (byte)']', 2);
            default:
                return Until(data, (byte)'?', 1);
        }
    }

    // A byte order mark, then content.
    private int AtStart(byte next)
    {
        var mark = "\uFEFF"u8;
        if (_matched < mark.Length && next == mark[_matched])
        {
            _matched++;
            return 1;
        }

        if (_matched is not 0 and not 3)
            return Fail("is not in UTF-8");
        _matched = 0;
        return Go(State.Content, 0);
    }

    private int InContent(ReadOnlySpan<byte> data)
    {
        var open = data.IndexOf((byte)'<');
        if (_depth == 0)
        {
            var text = data[..(open < 0 ? data.Length : open)];
            var other = text.IndexOfAnyExcept(" \t\r\n"u8);
            if (other >= 0)
                return Fail(_rootSeen ? "has text after its root element" : "does not begin as XML in UTF-8 does", other);
        }

        return open < 0 ? data.Length : Go(State.Open, open + 1);
    }

    private int AfterOpen(byte next)
    {
        _matched = 0;
        switch (next)
        {
            case (byte)'/':
                return _depth > 0 ? Go(State.EndName) : Fail("closes an element that is not open");
            case (byte)'!':
                return Go(State.Markup);
            case (byte)'?':
                return Go(State.Instruction);
        }

        if (!IsNameStart(next))
            return Fail("has a '<' that begins nothing");
        if (_depth == 0 && _rootSeen)
            return Fail("has a second root element");
        if (_depth == MostDepth)
            return Fail($"nests deeper than {MostDepth} elements");
        _rootSeen = true;
        _starts[_depth++] = _namesLength;
        return Go(State.StartName, 0);
    }

    private int InStartName(ReadOnlySpan<byte> data)
    {
        var taken = TakeName(data);
        if (taken == data.Length || Problem is not null)
            return taken;
        if (!IsSpace(data[taken]) && data[taken] is not ((byte)'/' or (byte)'>'))
            return Fail("has a bad character in an element's name", taken);
        if (_depth <= Root + 1)
            Element?.Invoke(_depth, Cut(NameAt(_depth)));
        return Go(State.InTag, taken);
    }

    private int InTag(byte next)
    {
        if (IsSpace(next))
            return 1;
        if (next == '>')
            return Go(State.Content);
        if (next == '/')
            return Go(State.EmptyTag);
        (_attributeLength, _valueLength) = (0, 0);
        return IsNameStart(next) ? Go(State.AttributeName, 0) : Fail("has a bad character in a tag");
    }

    private int InAttributeName(ReadOnlySpan<byte> data)
    {
        var end = data.IndexOfAny(NameEnd);
        Keep(_attribute, ref _attributeLength, end < 0 ? data : data[..end]);
        return end < 0 ? data.Length : Go(State.AfterAttributeName, end);
    }

    private int InValue(ReadOnlySpan<byte> data)
    {
        var end = data.IndexOfAny(_state == State.DoubleQuoted ? DoubleQuoted : SingleQuoted);
        Keep(_value, ref _valueLength, end < 0 ? data : data[..end]);
        if (end < 0)
            return data.Length;
        if (data[end] == '<')
            return Fail("has a '<' in an attribute", end);
        if (_depth <= Root + 1)
            Attribute?.Invoke(_depth, Cut(NameAt(_depth)), _attribute.AsSpan(0, _attributeLength), _value.AsSpan(0, _valueLength));
        return Go(State.AfterValue, end + 1);
    }

    private int InEndName(ReadOnlySpan<byte> data)
    {
        var end = data.IndexOfAny(NameEnd);
        var part = end < 0 ? data : data[..end];
        var expected = NameAt(_depth);
        if (part.Length > expected.Length - _matched || !part.SequenceEqual(expected.Slice(_matched, part.Length)) || (end >= 0 && _matched + part.Length < expected.Length))
            return Fail($"closes another element than <{Innermost()}>", -_matched);
        _matched += part.Length;
        return end < 0 ? data.Length : Go(State.AfterEndName, end);
    }

    // "<!" begins a comment or CDATA. A document type, the door to external entities, is refused.
    private int InMarkup(byte next)
    {
        var comment = "--"u8;
        var cdata = "[CDATA["u8;
        if (next == (_matched < 0 ? comment[~_matched] : cdata[_matched]))
            _matched += _matched < 0 ? -1 : 1;
        else if (_matched == 0 && next == '-')
            _matched = -2;
        else
            return Fail(_matched == 0 && next is (byte)'D' or (byte)'d' ? "has a document type, which no export has" : "has a '<!' that begins nothing");

        if (_matched == -1 - comment.Length)
            return GoInside(State.Comment);
        if (_matched == cdata.Length)
            return _depth > 0 ? GoInside(State.CData) : Fail("has text outside its root element");
        return 1;
    }

    // To the closing '>', before which the mark stands so many times at least.
    private int Until(ReadOnlySpan<byte> data, byte mark, int times)
    {
        if (data[0] == mark)
        {
            _matched = Math.Min(_matched + 1, times);
            return 1;
        }

        if (data[0] == '>' && _matched == times)
            return GoInside(State.Content);
        _matched = 0;
        var next = data.IndexOf(mark);
        return next < 0 ? data.Length : next;
    }

    private int TakeName(ReadOnlySpan<byte> data)
    {
        var end = data.IndexOfAny(NameEnd);
        var part = end < 0 ? data : data[..end];
        if (_namesLength + part.Length > MostNames)
            return Fail("has names that are longer than any export's", MostNames - _namesLength);
        if (_namesLength + part.Length > _names.Length)
            Array.Resize(ref _names, Math.Max(_names.Length * 2, _namesLength + part.Length));
        part.CopyTo(_names.AsSpan(_namesLength));
        _namesLength += part.Length;
        return part.Length;
    }

    private int Close()
    {
        _namesLength = _starts[--_depth];
        return Go(State.Content);
    }

    private int Go(State state, int taken = 1)
    {
        _state = state;
        return taken;
    }

    private int GoInside(State state)
    {
        _matched = 0;
        return Go(state);
    }

    private int Fail(string how, int ahead = 0)
    {
        Problem = $"{how} (at its byte {_position + ahead})";
        return 0;
    }

    // Behind the name of an open element begins that of the next.
    private ReadOnlySpan<byte> NameAt(int depth) => _names.AsSpan(_starts[depth - 1]..(depth == _depth ? _namesLength : _starts[depth]));

    private string Innermost() => Encoding.UTF8.GetString(Cut(NameAt(_depth)));

    private static ReadOnlySpan<byte> Cut(ReadOnlySpan<byte> name) => name[..Math.Min(name.Length, MostValue)];

    private static void Keep(byte[] kept, ref int length, ReadOnlySpan<byte> part)
    {
        part = part[..Math.Min(part.Length, kept.Length - length)];
        part.CopyTo(kept.AsSpan(length));
        length += part.Length;
    }

    private static bool IsSpace(byte value) => value is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n';

    private static bool IsNameStart(byte value) => value is (>= (byte)'a' and <= (byte)'z') or (>= (byte)'A' and <= (byte)'Z') or (byte)'_' or (byte)':' or >= 0x80;

    /// <summary>The root (depth 1) or one of its children (depth 2). Names and values are UTF-8, cut at 256 bytes.</summary>
    internal delegate void ElementHandler(int depth, ReadOnlySpan<byte> name);

    /// <summary>An attribute of such an element.</summary>
    internal delegate void AttributeHandler(int depth, ReadOnlySpan<byte> element, ReadOnlySpan<byte> attribute, ReadOnlySpan<byte> value);
}
