using System.Collections;
using System.Management.Automation;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace AtlassianBackup;

/// <summary>The JSON that an object of PowerShell means: text as it is, hashtables and custom objects by their members.</summary>
internal static class JsonText
{
    private const int MaxDepth = 16;

    public static string Of(object value) => (value is PSObject { BaseObject: string text } ? text : value as string) ?? Node(value, 0)?.ToJsonString() ?? "null";

    private static JsonNode? Node(object? value, int depth)
    {
        if (depth > MaxDepth)
            throw new JsonException("it is nested too deeply");
        var plain = value is PSObject wrapped ? wrapped.BaseObject : value;
        switch (plain)
        {
            case null:
                return null;
            case string text:
                return text;
            case bool flag:
                return flag;
            case SwitchParameter flag:
                return flag.IsPresent;
            case IConvertible number when plain is int or long or short or byte or double or decimal or float or uint or ulong:
                return JsonNode.Parse(number.ToString(System.Globalization.CultureInfo.InvariantCulture));
            case IDictionary map:
                return new JsonObject(map.Keys.Cast<object>().Select(key => KeyValuePair.Create($"{key}", Node(map[key], depth + 1))));
            case IEnumerable many:
                return new JsonArray([.. many.Cast<object?>().Select(one => Node(one, depth + 1))]);
        }

        var members = value as PSObject ?? PSObject.AsPSObject(value);
        return new JsonObject(members.Properties.Where(property => property.IsGettable).Select(property => KeyValuePair.Create(property.Name, Node(property.Value, depth + 1))));
    }
}
