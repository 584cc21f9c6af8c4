using System.Net;

namespace Backup.Engine.Atlassian;

/// <summary>The failures of a site that a person has to do something about, in words that say what.</summary>
internal static class SiteFailures
{
    // https://support.atlassian.com/atlassian-account/docs/manage-api-tokens-for-your-atlassian-account/
    private const string Tokens = "Check the user: it is the e-mail address of the account that made the token. Otherwise make a classic API token, one without scopes, at id.atlassian.com > Security > API tokens. A token lasts a year at most, and the old ones without an end expired by May 2026.";

    /// <summary>The failure that an answer is, for every answer that is no success.</summary>
    public static BackupException Of(AtlassianAnswer answer, AtlassianClient client, AtlassianProduct product) => (int)answer.Status switch
    {
        401 => Unauthenticated(client),
        403 when IsUiOnly(answer.Text) => UiOnly(client.Site, product),
        403 => new SiteException(SiteStatus.PermissionDenied, FailureKind.PermissionDenied, $"{client.User} may not export {product} of {client.Site}.", "The user has to be an administrator of the site, or of its organization."),
        404 or 410 => NotLicensed(client.Site, product),
        _ => answer.Failure ?? Strange(client.Site, product),
    };

    /// <summary>The token does not work.</summary>
    public static SiteException Unauthenticated(AtlassianClient client) =>
        new(SiteStatus.AuthenticationFailed, FailureKind.AuthenticationFailed, $"{client.Site} does not accept the API token of {client.User}.", Tokens);

    /// <summary>The site does not have the product.</summary>
    public static SiteException NotLicensed(AtlassianSite site, AtlassianProduct product) =>
        new(SiteStatus.NotLicensed, FailureKind.NotFound, $"{site} has no {product}, or this user has no access to it.", "Check the site's name, and the user's product access at admin.atlassian.com.");

    /// <summary>Only people at a browser may export.</summary>
    public static SiteException UiOnly(AtlassianSite site, AtlassianProduct product) => new(
        SiteStatus.UiOnly,
        FailureKind.NotSupported,
        $"Atlassian lets nobody but a person at a browser export {product} of {site}.",
        product == AtlassianProduct.Jira
            ? $"Export at {site.Address}secure/admin/CloudExport.jspa (Settings > System > Backup manager), download the file, then run: Save-AtlassianExport -Path <file> -Site {site} -Destination <destination>"
            : $"Export at {site.Address}wiki/plugins/servlet/ondemandbackupmanager/admin (Settings > Backup), download the file, then run: Save-AtlassianExport -Path <file> -Site {site} -Destination <destination>");

    /// <summary>The answer says nothing that can be used.</summary>
    public static BackupException Strange(AtlassianSite site, AtlassianProduct product) =>
        new(FailureKind.Unavailable, $"{site} answers with something else than the state of a {product} export.", "Run again later. If it stays, a proxy or a sign-in page may stand in between: open the site in a browser from this machine.");

    /// <summary>Whether a text says that only the UI may. Source: davidmalko87/jira-confluence-full-instance-backup (README).</summary>
    public static bool IsUiOnly(string text) => text.Contains("only accessible from the UI", StringComparison.OrdinalIgnoreCase);
}
