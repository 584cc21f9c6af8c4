using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace Backup.Engine.Documents;

/// <summary>A document's file, as it will be sent.</summary>
internal sealed partial record DocumentSource
{
    // https://docs.aws.amazon.com/general/latest/gr/ssm.html: the maximum size of a document.
    private const int MaxBytes = 64 * 1024;

    private DocumentSource(string name, string content, string format)
    {
        (Name, Content, Format) = (name, content, format);
        // A version's name has 128 characters at most; 160 bits of the hash are beyond any coincidence.
        VersionName = "sha256-" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(content)))[..40];
        DocumentType = AutomationSchema().IsMatch(content) ? "Automation" : "Command";
    }

    /// <summary>The file's own name, without its extension.</summary>
    public string Name { get; }

    /// <summary>The text, its lines ended the same way on every system.</summary>
    public string Content { get; }

    /// <summary>YAML or JSON.</summary>
    public string Format { get; }

    /// <summary>Command, or Automation for what has its schema.</summary>
    public string DocumentType { get; }

    /// <summary>What a version with this content is called.</summary>
    public string VersionName { get; }

    /// <summary>Reads a file.</summary>
    /// <exception cref="BackupException">It is no document, or cannot be read.</exception>
    public static async Task<DocumentSource> ReadAsync(string path, CancellationToken cancellationToken)
    {
        var format = Path.GetExtension(path).ToUpperInvariant() switch
        {
            ".YAML" or ".YML" => "YAML",
            ".JSON" => "JSON",
            _ => throw new BackupException(FailureKind.InvalidInput, $"'{path}' is no SSM document: its name ends in neither .yaml, .yml nor .json.", "Give a document, or a folder of documents."),
        };
        var name = Path.GetFileNameWithoutExtension(path);
        if (!DocumentName().IsMatch(name))
            throw new BackupException(FailureKind.InvalidInput, $"'{name}' cannot be a document's name.", "Name the file with 3 to 128 letters, digits, dots, dashes and underscores.");
        if (new FileInfo(path) is { Exists: true, Length: > MaxBytes })
            throw new BackupException(FailureKind.InvalidInput, $"'{path}' is larger than 64 KiB, the most that an SSM document may have.", "Put its scripts into a bucket or a repository.");
        try
        {
            return new(name, (await File.ReadAllTextAsync(path, cancellationToken)).ReplaceLineEndings("\n"), format);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw BackupException.From(exception);
        }
    }

    [GeneratedRegex("^[a-zA-Z0-9_.-]{3,128}$", RegexOptions.None, 1000)]
    private static partial Regex DocumentName();

    [GeneratedRegex("""^\s*"?schemaVersion"?\s*:\s*["']?0\.3["']?\s*,?\s*$""", RegexOptions.Multiline, 1000)]
    private static partial Regex AutomationSchema();
}
