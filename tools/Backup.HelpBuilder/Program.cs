using System.Xml;
using Backup.HelpBuilder;

// Backup.HelpBuilder <cmdlets.dll> <System.Management.Automation.dll> <engine directory> <docs> <output directory>
if (args is not [var assembly, var powerShell, var engine, var docs, var output])
{
    await Console.Error.WriteLineAsync("Five arguments are needed: the cmdlets' assembly, PowerShell's, the engine's directory, docs and the output directory.");
    return 2;
}

try
{
    var cmdlets = CmdletInfo.Read(Path.GetFullPath(assembly), Path.GetFullPath(powerShell), Path.GetFullPath(engine));
    var pages = new List<(CmdletInfo, HelpPage)>();
    foreach (var cmdlet in cmdlets)
    {
        var file = Path.Combine(docs, "cmdlets", cmdlet.Name + ".md");
        if (!File.Exists(file))
            throw new InvalidDataException($"{cmdlet.Name} has no page: {file}");
        Syntax.Update(file, cmdlet);
        pages.Add((cmdlet, HelpPage.Read(file)));
    }

    Directory.CreateDirectory(output);
    var settings = new XmlWriterSettings { Indent = true, NewLineChars = "\n" };
    await using (var stream = File.Create(Path.Combine(output, Path.GetFileName(assembly) + "-Help.xml")))
    using (var writer = XmlWriter.Create(stream, settings))
        Maml.Build(pages).Save(writer);

    foreach (var about in Directory.GetFiles(docs, "about_*.md"))
        await File.WriteAllTextAsync(Path.Combine(output, Path.GetFileNameWithoutExtension(about) + ".help.txt"), AboutPage.Text(await File.ReadAllTextAsync(about)));
    return 0;
}
catch (InvalidDataException e)
{
    // In the form that MSBuild shows as an error of the build.
    await Console.Error.WriteLineAsync($"HelpBuilder : error HELP001 : {e.Message}");
    return 1;
}
