using System.Collections;
using System.Management.Automation;
using System.Text.Json.Nodes;

namespace AtlassianBackup.Commands;

/// <summary>Events as a pipeline brings them: the lines of a file, whole documents, or objects that were made of JSON.</summary>
internal sealed class EventText
{
    private const int MaxDepth = 32;

    private readonly List<string> _lines = [];
    private readonly List<string> _documents = [];

    /// <summary>Takes one input.</summary>
    public void Add(object input)
    {
        var value = input is PSObject { BaseObject: not PSCustomObject } wrapped ? wrapped.BaseObject : input;
        if (value is string text)
            _lines.Add(text);
        else
            _documents.Add(ToJson(value, 0)?.ToJsonString() ?? "null");
    }

    /// <summary>The documents. Lines are one text: Get-Content cuts a document into them.</summary>
    public IReadOnlyList<string> Documents => _lines.TrueForAll(string.IsNullOrWhiteSpace) ? _documents : [string.Join('\n', _lines), .. _documents];

    private static JsonNode? ToJson(object? value, int depth)
    {
        if (depth > MaxDepth)
            return null;
        var wrapper = value as PSObject;
        switch (wrapper is { BaseObject: not PSCustomObject } ? wrapper.BaseObject : value)
        {
            case null:
                return null;
            case string text:
                return text;
            case bool flag:
                return flag;
            case DateTime time:
                return time.ToUniversalTime().ToString("O");
            case int or long or short or byte:
                return Convert.ToInt64(wrapper?.BaseObject ?? value);
            case double or float or decimal:
                return Convert.ToDouble(wrapper?.BaseObject ?? value);
            case IDictionary dictionary:
                return new JsonObject(dictionary.Keys.Cast<object>().Select(key => KeyValuePair.Create(key.ToString()!, ToJson(dictionary[key], depth + 1))));
            case IEnumerable items:
                return new JsonArray([.. items.Cast<object?>().Select(item => ToJson(item, depth + 1))]);
            default:
                return new JsonObject((wrapper ?? PSObject.AsPSObject(value)).Properties
                    .Where(property => property.IsGettable)
                    .Select(property => KeyValuePair.Create(property.Name, ToJson(property.Value, depth + 1))));
        }
    }
}
