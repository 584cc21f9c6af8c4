using System.Text.Json;

namespace Backup.Engine.Atlassian;

/// <summary>Reads answers that should be JSON and sometimes are not.</summary>
internal static class JsonText
{
    /// <summary>The document's root, or null where the text is no JSON.</summary>
    public static JsonElement? Read(string text)
    {
        if (string.IsNullOrWhiteSpace(text))
            return null;
        try
        {
            using var document = JsonDocument.Parse(text);
            return document.RootElement.Clone();
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>A field's text, of a string or a number; null where there is none.</summary>
    public static string? Text(this JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value)
            ? value.ValueKind switch
            {
                JsonValueKind.String => value.GetString(),
                JsonValueKind.Null or JsonValueKind.Undefined => null,
                _ => value.GetRawText(),
            }
            : null;
}
