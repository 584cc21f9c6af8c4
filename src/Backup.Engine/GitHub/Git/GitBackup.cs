using Backup.Engine.Http;
using Backup.Engine.Stores;
using Microsoft.Extensions.Logging;

namespace Backup.Engine.GitHub.Git;

/// <summary>
/// Backs up the histories of repositories: one generation for each change, each with a bundle of what is new. One instance serves a run
/// and many threads. git never talks to a server here, and so never sees a token: packs come by <see cref="PackFetch"/>.
/// </summary>
internal sealed class GitBackup(IObjectStore store, HttpSender http, GitBackupOptions options)
{
    private const int Attempts = 3;

    /// <summary>Backs up one history. Nothing of a failed attempt is visible in the store, and the generations before stay as they are.</summary>
    /// <exception cref="BackupException">As for <see cref="RefAdvertisement"/>; <see cref="FailureKind.Corrupt"/> where the server's pack is damaged or lacks objects.</exception>
    public async Task<GitBackupResult> BackupAsync(GitBackupRequest request, CancellationToken cancellationToken)
    {
        var check = PackCheck.Strict;
        IReadOnlyList<string> refused = [];
        var advertised = request.Advertised;
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                advertised ??= await RefAdvertisement.ReadAsync(http, request.Remote, cancellationToken, options.PullRefs);
                return await BackupAsync(request, advertised, check, refused, cancellationToken);
            }
            catch (FsckException exception) when (check == PackCheck.Strict)
            {
                // It is what there is: better kept and told than not kept.
                options.Logger?.LogWarning("{Name}: {Reason} It is kept as it is.", request.Name, exception.Message);
                (check, refused) = (PackCheck.Links, exception.Findings);
            }
            catch (BackupException exception) when (exception.Kind is FailureKind.ChangedWhileRead or FailureKind.Unavailable && attempt < Attempts)
            {
                options.Logger?.LogDebug("{Name}, attempt {Attempt}: {Reason}", request.Name, attempt, exception.Message);
                advertised = null;
            }
        }
    }

    private async Task<GitBackupResult> BackupAsync(GitBackupRequest request, RefAdvertisement advertised, PackCheck check, IReadOnlyList<string> findings, CancellationToken cancellationToken)
    {
        if (request.Previous is { } known && known.Digest == advertised.Digest && known.IsComplete(request.Lfs) && !request.Full)
            return new() { Outcome = Outcome.Unchanged, State = known, Generation = await GitGenerations.ReadAsync(store, known.ManifestKey, cancellationToken) };

        // One that is newer than what is known was made by a run that was killed behind it, or by another machine: it is as good as any.
        var newest = await GitGenerations.FindAsync(store, [request.Folder], request.Part, null, cancellationToken);
        var previousKey = string.CompareOrdinal(newest?.Generation, request.Previous?.Generation) > 0 ? newest!.Key : request.Previous?.ManifestKey;
        var previous = previousKey is null ? null : await GitGenerations.ReadAsync(store, previousKey, cancellationToken);
        var work = new GitBackupWork(store, http, options, request, advertised, previous, previousKey, check, findings);
        return await work.RunAsync(cancellationToken);
    }
}
