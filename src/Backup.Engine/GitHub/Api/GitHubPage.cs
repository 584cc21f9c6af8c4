using System.Text.Json;

namespace Backup.Engine.GitHub;

/// <summary>One answer of the API.</summary>
/// <param name="Document">What it holds, or null where it is as it was.</param>
/// <param name="Next">Where the list goes on, or null.</param>
/// <param name="ETag">Its entity tag, or null.</param>
/// <param name="NotModified">Whether it is as it was.</param>
/// <param name="Date">GitHub's own time.</param>
internal sealed record GitHubPage(JsonDocument? Document, Uri? Next, string? ETag, bool NotModified, DateTimeOffset Date) : IDisposable
{
    /// <summary>The items: of the list itself, or of the property that holds it.</summary>
    public IEnumerable<JsonElement> Items(Operation operation, string? property)
    {
        var list = Document!.RootElement;
        if (property is not null && (list.ValueKind != JsonValueKind.Object || !list.TryGetProperty(property, out list)))
            list = default;
        return list.ValueKind == JsonValueKind.Array
            ? list.EnumerateArray()
            : throw new BackupException(FailureKind.Corrupt, $"What answered {operation} is not a list.", "Check -ApiUri, and what stands between this machine and it (a sign-in page, a proxy).");
    }

    /// <inheritdoc/>
    public void Dispose() => Document?.Dispose();
}
