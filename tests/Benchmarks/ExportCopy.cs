using Backup.Engine.Atlassian;
using Backup.Engine.Http;
using Backup.Engine.Stores;

namespace Benchmarks;

/// <summary>An export's way through the product, in a process of its own: as it ships, or without the verification, to see what that costs.</summary>
internal static class ExportCopy
{
    public static async Task<int> RunAsync(string site, string endpoint, string way)
    {
        var options = new SiteBackupOptions
        {
            Product = AtlassianProduct.Confluence,
            Sites = [AtlassianSite.Parse(site)],
            User = "admin@example.com",
            ApiToken = new("classic-api-token"),
            Destination = StoreLocation.ForBucket(Contestant.Bucket, "exports"),
            Store = new() { Aws = new() { EndpointUrl = new(endpoint), Region = "us-east-1" } },
            MaxAge = TimeSpan.FromDays(1),
        };
        if (way == "verified")
        {
            await foreach (var result in SiteBackup.RunAsync(options))
            {
                Console.WriteLine($"{result.Status} {result.Reason}");
                if (result.Status != SiteStatus.Adopted)
                    return 1;
            }

            return 0;
        }

        using var sender = new HttpSender();
        var client = new AtlassianClient(options.Sites[0], options.User, options.ApiToken, sender);
        var exports = new ConfluenceExports(client);
        var state = await exports.StateAsync(null, CancellationToken.None);
        await using var store = await ObjectStores.OpenAsync(options.Destination, SiteBackup.Sparing(options.Store));
        await using var download = await ExportDownload.OpenAsync(client, exports.DownloadPath(state.FileId!), options, CancellationToken.None);
        await store.WriteAsync("plain.zip", download, new() { Length = download.Total });
        return 0;
    }
}
