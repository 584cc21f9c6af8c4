using System.Text.RegularExpressions;
using Backup.Engine.Aws.CodeArtifact;

namespace Backup.Engine.Maven;

/// <summary>A version of a package in a CodeArtifact repository.</summary>
public sealed partial record PackageVersionId
{
    /// <summary>The format <c>maven</c>.</summary>
    public const string Maven = "maven";

    /// <summary>The domain.</summary>
    public required string Domain { get; init; }

    /// <summary>The account that owns the domain, 12 digits; null for the caller's own.</summary>
    public string? DomainOwner { get; init; }

    /// <summary>The repository.</summary>
    public required string Repository { get; init; }

    /// <summary>maven, npm, nuget, pypi or generic.</summary>
    public string Format { get; init; } = Maven;

    /// <summary>Maven's group, npm's scope; null where the format or the package has none.</summary>
    public string? Namespace { get; init; }

    /// <summary>The package's name: Maven's artifact.</summary>
    public required string Package { get; init; }

    /// <summary>The version. A snapshot's build is a version of its own: <c>1.0-20210728.194552-1</c>.</summary>
    public required string Version { get; init; }

    /// <summary>As users write it: <c>group:artifact</c>, or the name alone.</summary>
    public string PackageName => Namespace is null ? Package : $"{Namespace}:{Package}";

    /// <summary>The path of its assets within the repository: in Maven's layout the group's dots are slashes. Ends with a slash.</summary>
    public string Path => Namespace is null ? $"{Package}/{Version}/" : $"{(Format == Maven ? Namespace.Replace('.', '/') : Namespace)}/{Package}/{Version}/";

    /// <summary>Where its repository's assets are in a store: the layout of aws-samples/maven-package-backup. Ends with a slash.</summary>
    internal string RepositoryKey => $"{Domain}/{Format}/{Repository}/";

    /// <summary>Where its assets are in a store. Ends with a slash.</summary>
    internal string Key => RepositoryKey + Path;

    internal RepositoryReference RepositoryReference => new() { Domain = Domain, DomainOwner = DomainOwner, Repository = Repository };

    internal PackageReference Reference => new() { Repository = RepositoryReference, Format = Format, Namespace = Namespace, Package = Package };

    /// <summary>The snapshot that this build is of, or null: a build's files are in the snapshot's own directory of a Maven repository.</summary>
    internal string? SnapshotVersion => Format == Maven && Build().Match(Version) is { Success: true } match ? match.Groups["base"].Value + "-SNAPSHOT" : null;

    /// <summary>When and as which a build was made, as text that sorts in that order; null for other versions.</summary>
    internal (string Timestamp, int Number)? SnapshotBuild => Format == Maven && Build().Match(Version) is { Success: true } match
        ? (match.Groups["stamp"].Value, int.Parse(match.Groups["number"].Value))
        : null;

    /// <summary>Reads a package as users write it.</summary>
    /// <exception cref="BackupException"><see cref="FailureKind.InvalidInput"/>.</exception>
    internal static (string? Namespace, string Package) ParsePackage(string text, string format)
    {
        var parts = text.Split(':');
        if (parts.Any(part => part.Length == 0 || part.Contains('/', StringComparison.Ordinal) || part.Any(char.IsWhiteSpace)) || parts.Length > 2 || (format == Maven && parts.Length != 2))
            throw new BackupException(FailureKind.InvalidInput, $"'{text}' is not a {format} package.", format == Maven ? "Write group:artifact, such as com.example:library." : "Write its name, or namespace:name.");
        return parts.Length == 2 ? (parts[0], parts[1]) : (null, parts[0]);
    }

    /// <inheritdoc/>
    public override string ToString() => $"{PackageName}:{Version}";

    [GeneratedRegex(@"^(?<base>.+)-(?<stamp>[0-9]{8}\.[0-9]{6})-(?<number>[0-9]{1,9})$", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex Build();
}
