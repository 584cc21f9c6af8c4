using Backup.Engine.Stores;
using Microsoft.Extensions.Logging;

namespace Backup.Engine.Maven;

/// <summary>What <see cref="MavenRestore"/> does: versions of a run, or versions by their coordinates, into CodeArtifact or a plain Maven repository.</summary>
public sealed record MavenRestoreOptions
{
    /// <summary>The store that holds the backup.</summary>
    public required StoreLocation From { get; init; }

    /// <summary>How it is opened.</summary>
    public StoreOptions Store { get; init; } = new();

    /// <summary>Credentials and region of CodeArtifact.</summary>
    public Aws.AwsOptions Aws { get; init; } = new();

    /// <summary>The run whose versions are restored; null: by coordinates.</summary>
    public string? RunId { get; init; }

    /// <summary>The domain that was backed up; null with a run.</summary>
    public string? FromDomain { get; init; }

    /// <summary>The repository that was backed up; null with a run.</summary>
    public string? FromRepository { get; init; }

    /// <summary>The format.</summary>
    public string Format { get; init; } = PackageVersionId.Maven;

    /// <summary>Only these packages, as <c>group:artifact</c>; empty for all.</summary>
    public IReadOnlyList<string> Packages { get; init; } = [];

    /// <summary>Only these versions; empty for all.</summary>
    public IReadOnlyList<string> Versions { get; init; } = [];

    /// <summary>The domain to publish to; null for the one that was backed up.</summary>
    public string? Domain { get; init; }

    /// <summary>Its owner; null for the one that was backed up.</summary>
    public string? DomainOwner { get; init; }

    /// <summary>The repository to publish to; null for the one that was backed up.</summary>
    public string? Repository { get; init; }

    /// <summary>A plain Maven repository instead: a directory.</summary>
    public string? Directory { get; init; }

    /// <summary>A plain Maven repository instead: an http or https address that takes PUT.</summary>
    public Uri? Url { get; init; }

    /// <summary>User and password for <see cref="Url"/>, or null.</summary>
    public MavenCredentials? Credentials { get; init; }

    /// <summary>Requests a second to CodeArtifact; 0 for no limit.</summary>
    public double RequestRate { get; init; } = CodeArtifactSource.DefaultRequestRate;

    /// <summary>Only say what would be published.</summary>
    public bool WhatIf { get; init; }

    /// <summary>Receives decisions, or null.</summary>
    public ILogger? Logger { get; init; }

    /// <summary>Whether the target is a plain Maven repository.</summary>
    internal bool IsPlain => PlainName is not null;

    /// <summary>Its directory, or its address without what may be secret in it; else null.</summary>
    internal string? PlainName => Directory ?? Url?.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped);
}

/// <summary>User and password of a repository. Not a record: only the user is ever printed.</summary>
/// <param name="user">The user.</param>
/// <param name="password">The password.</param>
public sealed class MavenCredentials(string user, string password)
{
    internal string Header => "Basic " + Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes($"{user}:{password}"));

    /// <summary>The user alone.</summary>
    public override string ToString() => user;
}
