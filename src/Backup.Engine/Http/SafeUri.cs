namespace Backup.Engine.Http;

/// <summary>Addresses as they may be printed.</summary>
internal static class SafeUri
{
    /// <summary>Scheme, host, port and path. Neither user information nor query: signed addresses have their secret there.</summary>
    public static string Of(Uri? uri) => uri is null
        ? "(no address)"
        : uri.IsAbsoluteUri ? uri.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped) : uri.OriginalString.Split('?', '#')[0];

    /// <summary>Whether two addresses have the same scheme, host and port.</summary>
    public static bool IsSameOrigin(Uri a, Uri b) =>
        Uri.Compare(a, b, UriComponents.SchemeAndServer, UriFormat.UriEscaped, StringComparison.OrdinalIgnoreCase) == 0;
}
