using System.Collections;
using System.Management.Automation;
using Backup.Engine;
using Backup.Engine.Documents;

namespace AtlassianBackup.Commands;

/// <summary>Publish-BackupDocument: puts the SSM documents into an account.</summary>
[Cmdlet(VerbsData.Publish, "BackupDocument", SupportsShouldProcess = true)]
[OutputType("Backup.Engine.Documents.PublishedDocument")]
public sealed class PublishBackupDocumentCommand : AwsCmdlet
{
    private readonly List<string> _files = [];

    /// <summary>Which documents.</summary>
    [Parameter(Position = 0)]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string[] Name { get; set; } = ["*"];

    /// <summary>Documents of one's own.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Alias("FullName")]
    [ValidateNotNullOrEmpty]
    public string[]? Path { get; set; }

    /// <summary>Tags.</summary>
    [Parameter]
    [ValidateNotNull]
    public Hashtable Tag { get; set; } = [];

    /// <summary>Collects the files.</summary>
    protected override void ProcessRecord()
    {
        foreach (var path in Path ?? [Shipped()])
        {
            try
            {
                Collect(Path is null ? path : ResolvePath(path));
            }
            catch (Exception exception) when (exception is BackupException or IOException or UnauthorizedAccessException)
            {
                WriteError(ErrorMapping.ToRecord(exception, path));
            }
        }
    }

    /// <summary>Publishes.</summary>
    protected override void EndProcessing()
    {
        var patterns = Name.Select(name => new WildcardPattern(name, WildcardOptions.IgnoreCase)).ToList();
        var files = _files.Distinct(StringComparer.Ordinal).Where(file => patterns.Exists(p => p.IsMatch(System.IO.Path.GetFileNameWithoutExtension(file)))).ToList();
        if (files.Count == 0 && _files.Count > 0)
        {
            WriteError(ErrorMapping.ToRecord(
                FailureKind.NotFound, $"No document is called {string.Join(" or ", Name)}.", "There are: " + string.Join(", ", _files.Select(f => System.IO.Path.GetFileNameWithoutExtension(f))) + ".", string.Join(", ", Name)));
            return;
        }

        var aws = CreateStoreOptions().Aws;
        var tags = Tag.Cast<DictionaryEntry>().ToDictionary(e => e.Key.ToString()!, e => e.Value?.ToString() ?? "", StringComparer.Ordinal);
        foreach (var file in files)
        {
            if (!Confirm(System.IO.Path.GetFileNameWithoutExtension(file), "Publish SSM document", out var whatIf))
                continue;
            var options = new DocumentPublishOptions { Files = [file], Tags = tags, Aws = aws, WhatIf = whatIf };
            var logger = CreateLogger();
            RunAsync(token => DocumentPublisher.RunAsync(logger.With(options), token), Write, file);
        }
    }

    private void Write(PublishedDocument document)
    {
        WriteObject(document);
        if (document.Outcome is Outcome.Failed)
            WriteError(ErrorMapping.ToRecord(document.Kind ?? FailureKind.Unknown, document.Reason ?? $"{document.Name} was not published.", document.Advice, document.Name));
    }

    private void Collect(string path)
    {
        if (!Directory.Exists(path))
        {
            _files.Add(File.Exists(path) ? path : throw new BackupException(FailureKind.NotFound, $"There is no document and no folder '{path}'.", "Check the path."));
            return;
        }

        var found = Directory.GetFiles(path).Where(f => System.IO.Path.GetExtension(f).ToUpperInvariant() is ".YAML" or ".YML" or ".JSON").Order(StringComparer.Ordinal).ToList();
        if (found.Count == 0)
            throw new BackupException(FailureKind.NotFound, $"The folder '{path}' holds no documents.", "Documents end in .yaml, .yml or .json.");
        _files.AddRange(found);
    }

    // Beside module/bin, where this assembly is.
    private static string Shipped() => System.IO.Path.GetFullPath(System.IO.Path.Join(System.IO.Path.GetDirectoryName(typeof(PublishBackupDocumentCommand).Assembly.Location), "..", "documents"));
}
