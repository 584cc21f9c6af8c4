using System.Runtime.CompilerServices;

namespace Backup.Engine.Aws.Api;

/// <summary>Reads a list page by page.</summary>
internal static class Paging
{
    /// <summary>Yields the items of all pages; each page is asked for when the one before it was read.</summary>
    /// <param name="page">Asks for the page of a token; the first has none.</param>
    /// <param name="items">The page's items.</param>
    /// <param name="next">The next page's token; null or empty on the last.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="BackupException"><see cref="FailureKind.Corrupt"/> where the service gives the same token twice: the list would never end.</exception>
    public static async IAsyncEnumerable<TItem> ReadAsync<TPage, TItem>(
        Func<string?, CancellationToken, Task<TPage>> page,
        Func<TPage, IEnumerable<TItem>?> items,
        Func<TPage, string?> next,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        string? token = null;
        do
        {
            var answer = await page(token, cancellationToken);
            foreach (var item in items(answer) ?? [])
                yield return item;
            var following = next(answer);
            if (following is { Length: > 0 } && following == token)
                throw new BackupException(FailureKind.Corrupt, "A list does not end: the service gave the same page again.", "Run again.");
            token = following;
        }
        while (token is { Length: > 0 });
    }
}
