using Backup.Engine.Stores;
using Microsoft.Extensions.Logging;

namespace Backup.Engine.Maven;

/// <summary>What <see cref="MavenBackup"/> does: the versions that events or coordinates name, or all of a repository.</summary>
public sealed record MavenBackupOptions
{
    /// <summary>The store.</summary>
    public required StoreLocation Destination { get; init; }

    /// <summary>How it is opened.</summary>
    public StoreOptions Store { get; init; } = new();

    /// <summary>Credentials and region of CodeArtifact.</summary>
    public Aws.AwsOptions Aws { get; init; } = new();

    /// <summary>EventBridge events, as JSON: alone, several in a row, in an array, or wrapped by SQS or SNS.</summary>
    public IReadOnlyList<string> Events { get; init; } = [];

    /// <summary>The domain.</summary>
    public string? Domain { get; init; }

    /// <summary>Its owner; null for the caller's own account.</summary>
    public string? DomainOwner { get; init; }

    /// <summary>The repository.</summary>
    public string? Repository { get; init; }

    /// <summary>Packages, as <c>group:artifact</c>.</summary>
    public IReadOnlyList<string> Packages { get; init; } = [];

    /// <summary>Versions of them; empty for all.</summary>
    public IReadOnlyList<string> Versions { get; init; } = [];

    /// <summary>Everything in the repository.</summary>
    public bool All { get; init; }

    /// <summary>With <see cref="All"/>: only this namespace and those below it.</summary>
    public string? Namespace { get; init; }

    /// <summary>With <see cref="All"/>: only what was published then or later.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>With <see cref="All"/>: the part <c>i</c> of <c>n</c>, from 1.</summary>
    public (int Index, int Count)? Shard { get; init; }

    /// <summary>The formats.</summary>
    public IReadOnlyList<string> Formats { get; init; } = [PackageVersionId.Maven];

    /// <summary>Asset requests a second, and four times as many others; 0 for no limit.</summary>
    public double RequestRate { get; init; } = CodeArtifactSource.DefaultRequestRate;

    /// <summary>The storage class of assets as S3 names it, or null for the bucket's default.</summary>
    public string? StorageClass { get; init; }

    /// <summary>A Teams webhook that is told of errors, or null.</summary>
    public SecretUri? Webhook { get; init; }

    /// <summary>Only say what would be stored.</summary>
    public bool WhatIf { get; init; }

    /// <summary>Receives decisions, or null.</summary>
    public ILogger? Logger { get; init; }
}
