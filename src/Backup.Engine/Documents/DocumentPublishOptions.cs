using Backup.Engine.Aws;
using Microsoft.Extensions.Logging;

namespace Backup.Engine.Documents;

/// <summary>What to publish as SSM documents.</summary>
public sealed record DocumentPublishOptions
{
    /// <summary>The files: each becomes the document of its own name. <c>.yaml</c>, <c>.yml</c> or <c>.json</c>.</summary>
    public required IReadOnlyList<string> Files { get; init; }

    /// <summary>Tags that each document is to have; others that it has stay.</summary>
    public IReadOnlyDictionary<string, string> Tags { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>The account and region. Its endpoint is Systems Manager's.</summary>
    public AwsOptions Aws { get; init; } = new();

    /// <summary>Say what would be done, and only look.</summary>
    public bool WhatIf { get; init; }

    /// <summary>Where decisions are logged.</summary>
    public ILogger? Logger { get; init; }

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
