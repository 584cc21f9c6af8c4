namespace Backup.Engine.Atlassian;

/// <summary>A site of Atlassian Cloud: <c>acme</c>, <c>acme.atlassian.net</c>, or an address of it.</summary>
public sealed record AtlassianSite
{
    private AtlassianSite(Uri address) => Address = address;

    /// <summary>Scheme, host and port.</summary>
    public Uri Address { get; }

    /// <summary>The host, and the port where it is not https's own.</summary>
    public string Name => Address.Scheme == Uri.UriSchemeHttps && Address.IsDefaultPort ? Address.Host : Address.Authority;

    /// <summary>The name as a part of keys.</summary>
    internal string KeyName => Name.Replace(':', '-');

    /// <summary>Reads a site. What follows the host is left out, so that an address may be copied from the browser.</summary>
    /// <exception cref="BackupException"><see cref="FailureKind.InvalidInput"/>: not a site, user information in it, or not https (loopback may be http).</exception>
    public static AtlassianSite Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        text = text.Trim();
        var address = text.Contains("://", StringComparison.Ordinal) ? text
            : text.Length > 0 && text.All(c => char.IsAsciiLetterOrDigit(c) || c == '-') ? $"https://{text}.atlassian.net"
            : "https://" + text;
        // What is not a site is not repeated where it may hold a password.
        if (text.Contains('@', StringComparison.Ordinal))
            throw Bad("A site has no user name and no password in it.");
        if (text.Length == 0 || !Uri.TryCreate(address, UriKind.Absolute, out var uri) || uri.HostNameType is UriHostNameType.Unknown or UriHostNameType.Basic || !(uri.IsLoopback || uri.Host.Contains('.', StringComparison.Ordinal)))
            throw Bad($"'{text}' is not a site.");
        if (uri.Scheme != Uri.UriSchemeHttps && !(uri.Scheme == Uri.UriSchemeHttp && uri.IsLoopback))
            throw Bad($"'{text}' is not https: the token would travel in plain sight.");
        return new(new Uri(uri.GetLeftPart(UriPartial.Authority)));
    }

    /// <inheritdoc/>
    public override string ToString() => Name;

    private static BackupException Bad(string message) => new(FailureKind.InvalidInput, message, "Give the site's name, such as acme.atlassian.net; the user goes to -User and the token to -ApiToken.");
}
