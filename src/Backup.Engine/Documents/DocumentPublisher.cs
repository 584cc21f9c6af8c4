using System.Runtime.CompilerServices;
using Backup.Engine.Aws;
using Backup.Engine.Aws.Ssm;
using Microsoft.Extensions.Logging;

namespace Backup.Engine.Documents;

/// <summary>
/// Puts SSM documents into an account. A version is named by the hash of its content, so publishing the same again changes nothing, and publishing
/// what was published before makes that version the default again.
/// </summary>
public static class DocumentPublisher
{
    private static readonly TimeSpan _activeDeadline = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan _poll = TimeSpan.FromSeconds(1);

    /// <summary>Publishes; one result a file, failures included.</summary>
    /// <exception cref="BackupException">The credentials cannot be used: no other file would fare better.</exception>
    public static async IAsyncEnumerable<PublishedDocument> RunAsync(DocumentPublishOptions options, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        using var client = new SsmClient(new() { Aws = options.Aws, Endpoint = options.Aws.EndpointUrl, Logger = options.Logger, Time = options.Time });
        foreach (var file in options.Files)
        {
            cancellationToken.ThrowIfCancellationRequested();
            PublishedDocument result;
            try
            {
                result = await PublishAsync(client, file, options, cancellationToken);
            }
            catch (BackupException exception) when (exception.Kind is not (FailureKind.AuthenticationFailed or FailureKind.CredentialsExpired))
            {
                result = new()
                {
                    Name = Path.GetFileNameWithoutExtension(file), Path = file, Outcome = Outcome.Failed, WhatIf = options.WhatIf,
                    Reason = exception.Message, Kind = exception.Kind, Advice = exception.Advice,
                };
            }

            yield return result;
        }
    }

    private static async Task<PublishedDocument> PublishAsync(SsmClient client, string file, DocumentPublishOptions options, CancellationToken cancellationToken)
    {
        var source = await DocumentSource.ReadAsync(file, cancellationToken);
        var result = new PublishedDocument
        {
            Name = source.Name, Path = file, Outcome = Outcome.Completed, DocumentType = source.DocumentType, VersionName = source.VersionName, WhatIf = options.WhatIf,
        };

        if (await FindAsync(client, source.Name, null, cancellationToken) is not { } current)
        {
            if (options.WhatIf)
                return result with { Reason = "It would be created." };
            var created = await client.CreateDocumentAsync(
                new()
                {
                    Name = source.Name, Content = source.Content, DocumentFormat = source.Format, DocumentType = source.DocumentType, VersionName = source.VersionName,
                    Tags = options.Tags.Count == 0 ? null : Tags(options.Tags),
                },
                cancellationToken);
            await WaitActiveAsync(client, source.Name, created.DocumentDescription?.DocumentVersion ?? "1", options, cancellationToken);
            return result with { Version = created.DocumentDescription?.DocumentVersion ?? "1", Reason = "It was created." };
        }

        // Tags come last: they are an ornament of what works.
        return await TagAsync(client, await UpdateAsync(client, source, current, result, options, cancellationToken), options, cancellationToken);
    }

    private static async Task<PublishedDocument> UpdateAsync(SsmClient client, DocumentSource source, DocumentDescription current, PublishedDocument result, DocumentPublishOptions options, CancellationToken cancellationToken)
    {
        if (current.DocumentType is { } type && type != source.DocumentType)
            throw new BackupException(FailureKind.AlreadyExists, $"There is a document {source.Name} already, and it is a {type} document.", "Delete it, or publish this one under another name.");

        if (await FindAsync(client, source.Name, source.VersionName, cancellationToken) is { DocumentVersion: { } published })
        {
            if (published == current.DefaultVersion)
                return result with { Outcome = Outcome.Unchanged, Version = published, Reason = "This content is the default version." };
            return await PromoteAsync(published, Outcome.Adopted, $"Version {published} has this content and {(options.WhatIf ? "would be" : "is")} the default again.");
        }

        if (options.WhatIf)
            return result with { Reason = $"A version would follow version {current.LatestVersion}, and be the default." };
        string version;
        try
        {
            var updated = await client.UpdateDocumentAsync(new() { Name = source.Name, Content = source.Content, DocumentFormat = source.Format, VersionName = source.VersionName, DocumentVersion = "$LATEST" }, cancellationToken);
            version = updated.DocumentDescription?.DocumentVersion ?? throw new BackupException(FailureKind.Corrupt, $"Systems Manager did not say which version of {source.Name} it made.", "Run again.");
        }
        catch (AwsServiceException exception) when (exception.ErrorCode is "DuplicateDocumentContent" && current.LatestVersion is { } latest)
        {
            // The newest version has this content under another name: someone else has put it there.
            return latest == current.DefaultVersion
                ? result with { Outcome = Outcome.Unchanged, Version = latest, Reason = "This content is the default version." }
                : await PromoteAsync(latest, Outcome.Adopted, $"Version {latest} has this content and is the default now.");
        }

        await WaitActiveAsync(client, source.Name, version, options, cancellationToken);
        return await PromoteAsync(version, Outcome.Completed, $"Version {version} follows version {current.LatestVersion} and is the default.");

        async Task<PublishedDocument> PromoteAsync(string number, Outcome outcome, string reason)
        {
            if (!options.WhatIf)
                await client.UpdateDocumentDefaultVersionAsync(new() { Name = source.Name, DocumentVersion = number }, cancellationToken);
            return result with { Outcome = outcome, Version = number, Reason = reason };
        }
    }

    private static async Task<PublishedDocument> TagAsync(SsmClient client, PublishedDocument result, DocumentPublishOptions options, CancellationToken cancellationToken)
    {
        if (options.Tags.Count == 0)
            return result;
        var there = (await client.ListTagsForResourceAsync(new() { ResourceType = "Document", ResourceId = result.Name }, cancellationToken)).TagList ?? [];
        var missing = options.Tags.Where(tag => !there.Any(t => t.Key == tag.Key && t.Value == tag.Value)).ToDictionary(StringComparer.Ordinal);
        if (missing.Count == 0)
            return result;
        if (!options.WhatIf)
            await client.AddTagsToResourceAsync(new() { ResourceType = "Document", ResourceId = result.Name, Tags = Tags(missing) }, cancellationToken);
        return result with
        {
            Outcome = result.Outcome is Outcome.Unchanged ? Outcome.Completed : result.Outcome,
            Reason = $"{result.Reason} Tags {(options.WhatIf ? "would be" : "were")} set: {string.Join(", ", missing.Keys.Order(StringComparer.Ordinal))}.",
        };
    }

    // A document is made in a few moments, and cannot be the default before.
    private static async Task WaitActiveAsync(SsmClient client, string name, string version, DocumentPublishOptions options, CancellationToken cancellationToken)
    {
        var started = options.Time.GetTimestamp();
        while (true)
        {
            var document = (await client.DescribeDocumentAsync(new() { Name = name, DocumentVersion = version }, cancellationToken)).Document;
            switch (document?.Status)
            {
                case "Active":
                    return;
                case "Failed":
                    throw new BackupException(FailureKind.InvalidInput, $"Systems Manager could not make version {version} of {name}: {document.StatusInformation ?? "it gave no reason"}", "Mend the document, then publish again.");
            }

            if (options.Time.GetElapsedTime(started) > _activeDeadline)
                throw new BackupException(FailureKind.TimedOut, $"Version {version} of {name} is still {document?.Status ?? "not there"} after a minute. The former version is still the default.", "Publish again later.");
            options.Logger?.LogDebug("Version {Version} of {Name} is {Status}.", version, name, document?.Status);
            await Task.Delay(_poll, options.Time, cancellationToken);
        }
    }

    private static async Task<DocumentDescription?> FindAsync(SsmClient client, string name, string? versionName, CancellationToken cancellationToken)
    {
        try
        {
            return (await client.DescribeDocumentAsync(new() { Name = name, VersionName = versionName }, cancellationToken)).Document;
        }
        catch (AwsServiceException exception) when (exception.ErrorCode is "InvalidDocument" or "InvalidDocumentVersion")
        {
            return null;
        }
    }

    private static List<Tag> Tags(IEnumerable<KeyValuePair<string, string>> tags) => [.. tags.Select(tag => new Tag { Key = tag.Key, Value = tag.Value })];
}
