using System.Globalization;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Backup.HelpBuilder;

/// <summary>Writes the format that Get-Help reads.</summary>
internal static partial class Maml
{
    private static readonly XNamespace _root = "http://msh";
    private static readonly XNamespace _maml = "http://schemas.microsoft.com/maml/2004/10";
    private static readonly XNamespace _command = "http://schemas.microsoft.com/maml/dev/command/2004/10";
    private static readonly XNamespace _dev = "http://schemas.microsoft.com/maml/dev/2004/10";

    // WhatIf and Confirm mean the same everywhere, unless a page has more to say about them.
    private static readonly Dictionary<string, string> _common = new(StringComparer.Ordinal)
    {
        ["Confirm"] = "Asks before it does anything.",
    };

    public static XDocument Build(IEnumerable<(CmdletInfo Cmdlet, HelpPage Page)> commands) => new(
        new XElement(
            _root + "helpItems",
            new XAttribute("schema", "maml"),
            new XAttribute(XNamespace.Xmlns + "maml", _maml.NamespaceName),
            new XAttribute(XNamespace.Xmlns + "command", _command.NamespaceName),
            new XAttribute(XNamespace.Xmlns + "dev", _dev.NamespaceName),
            commands.Select(c => Command(c.Cmdlet, c.Page))));

    private static XElement Command(CmdletInfo cmdlet, HelpPage page)
    {
        var parts = cmdlet.Name.Split('-');
        return new(
            _command + "command",
            new XElement(
                _command + "details",
                new XElement(_command + "name", cmdlet.Name),
                new XElement(_command + "verb", parts[0]),
                new XElement(_command + "noun", parts[1]),
                new XElement(_maml + "description", Para(page.Synopsis))),
            new XElement(_maml + "description", page.Description.Select(Para)),
            new XElement(_command + "syntax", cmdlet.Sets().Select(set => new XElement(
                _command + "syntaxItem",
                new XElement(_maml + "name", cmdlet.Name),
                cmdlet.In(set).Select(p => Parameter(p, page, set: true))))),
            // Once each, as Get-Help -Parameter lists them.
            new XElement(_command + "parameters", cmdlet.Parameters.DistinctBy(p => p.Name, StringComparer.Ordinal).OrderBy(p => p.Name, StringComparer.Ordinal).Select(p => Parameter(p, page, set: false))),
            new XElement(_command + "inputTypes", page.Inputs.Select(t => Type(_command + "inputType", t))),
            new XElement(_command + "returnValues", page.Outputs.Select(t => Type(_command + "returnValue", t))),
            new XElement(_maml + "alertSet", new XElement(_maml + "alert", page.Notes.Select(Para))),
            new XElement(_command + "examples", page.Examples.Select(Example)),
            new XElement(_command + "relatedLinks", page.Links.Select(l => new XElement(
                _maml + "navigationLink",
                new XElement(_maml + "linkText", l.Text),
                new XElement(_maml + "uri", l.Uri ?? "")))));
    }

    private static XElement Parameter(ParameterInfo parameter, HelpPage page, bool set)
    {
        var text = page.Parameters.TryGetValue(parameter.Name, out var own) ? own : _common.GetValueOrDefault(parameter.Name)
            ?? throw new InvalidDataException($"{page.Name}: the parameter -{parameter.Name} is not documented.");
        var value = DefaultValue().Match(text) is { Success: true } match ? match.Groups[1].Value : parameter.IsSwitch ? "False" : "None";
        var element = new XElement(
            _command + "parameter",
            new XAttribute("required", Lower(parameter.Mandatory)),
            new XAttribute("variableLength", "true"),
            new XAttribute("globbing", Lower(parameter.Wildcards)),
            new XAttribute("pipelineInput", Pipeline(parameter)),
            new XAttribute("position", parameter.Position?.ToString(CultureInfo.InvariantCulture) ?? "named"),
            new XAttribute("aliases", parameter.Aliases.Count > 0 ? string.Join(", ", parameter.Aliases) : "none"),
            new XElement(_maml + "name", parameter.Name),
            new XElement(_maml + "description", DefaultValue().Replace(text, "").Trim().Split("\n\n").Select(Para)));
        if (set && parameter.Values.Count > 0)
            element.Add(new XElement(_command + "parameterValueGroup", parameter.Values.Select(v => new XElement(_command + "parameterValue", new XAttribute("required", "false"), new XAttribute("variableLength", "false"), v))));
        if (!(set && parameter.IsSwitch))
            element.Add(new XElement(_command + "parameterValue", new XAttribute("required", Lower(!parameter.IsSwitch)), new XAttribute("variableLength", "false"), parameter.TypeName));
        element.Add(new XElement(_dev + "type", new XElement(_maml + "name", parameter.FullTypeName), new XElement(_maml + "uri")));
        element.Add(new XElement(_dev + "defaultValue", value));
        return element;
    }

    private static XElement Example(HelpExample example, int index) => new(
        _command + "example",
        new XElement(_maml + "title", $"-------- Example {index + 1}: {ExampleTitle().Replace(example.Title, "")} --------"),
        new XElement(_dev + "code", example.Code),
        new XElement(_dev + "remarks", example.Text.Split("\n\n").Select(Para)));

    private static XElement Type(XName name, HelpType type) => new(
        name,
        new XElement(_dev + "type", new XElement(_maml + "name", type.Name)),
        new XElement(_maml + "description", type.Text.Split("\n\n").Select(Para)));

    private static XElement Para(string text) => new(_maml + "para", text);

    private static string Lower(bool value) => value ? "true" : "false";

    private static string Pipeline(ParameterInfo parameter) => (parameter.ByValue, parameter.ByName) switch
    {
        (true, true) => "True (ByValue, ByPropertyName)",
        (true, false) => "True (ByValue)",
        (false, true) => "True (ByPropertyName)",
        _ => "False",
    };

    [GeneratedRegex(@"\s*Default: (?<1>[^\n]+?)\.?\s*$", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex DefaultValue();

    [GeneratedRegex(@"^Example \d+: ", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex ExampleTitle();
}
