using System.Reflection;
using System.Runtime.Loader;

namespace Backup.HelpBuilder;

/// <summary>A parameter of a cmdlet, in one of its parameter sets.</summary>
internal sealed record ParameterInfo(
    string Name, string Set, string TypeName, string FullTypeName, bool IsSwitch, bool Mandatory, int? Position, bool ByValue, bool ByName, bool Wildcards,
    IReadOnlyList<string> Aliases, IReadOnlyList<string> Values);

/// <summary>A cmdlet as its class says it, so that the help cannot say anything else.</summary>
internal sealed record CmdletInfo(string Name, string? DefaultSet, IReadOnlyList<ParameterInfo> Parameters)
{
    public const string AllSets = "__AllParameterSets";

    /// <summary>Reads the cmdlets of an assembly. Nothing of it is run: PowerShell's reference assembly has no code.</summary>
    public static IReadOnlyList<CmdletInfo> Read(string assembly, string powerShell, string engineDirectory)
    {
        var context = new AssemblyLoadContext("cmdlets");
        context.Resolving += (c, name) => name.Name switch
        {
            "System.Management.Automation" => c.LoadFromAssemblyPath(powerShell),
            _ => Path.Combine(engineDirectory, name.Name + ".dll") is var path && File.Exists(path) ? c.LoadFromAssemblyPath(path) : null,
        };
        return [.. context.LoadFromAssemblyPath(assembly).GetTypes()
            .Select(type => (type, cmdlet: Attributes(type, "CmdletAttribute").FirstOrDefault()))
            .Where(t => t.cmdlet is not null && !t.type.IsAbstract)
            .Select(t => Read(t.type, t.cmdlet!))
            .OrderBy(c => c.Name, StringComparer.Ordinal)];
    }

    /// <summary>The names of the parameter sets, the default one first.</summary>
    public IReadOnlyList<string> Sets()
    {
        var sets = Parameters.Select(p => p.Set).Where(s => s is not AllSets).Distinct(StringComparer.Ordinal).ToList();
        if (sets.Count == 0)
            return [AllSets];
        return [.. sets.OrderBy(s => string.Equals(s, DefaultSet, StringComparison.Ordinal) ? 0 : 1)];
    }

    /// <summary>The parameters of a set in the order of a syntax line.</summary>
    public IEnumerable<ParameterInfo> In(string set) => Parameters
        .Where(p => p.Set is AllSets || string.Equals(p.Set, set, StringComparison.Ordinal))
        .OrderBy(p => p.Position ?? int.MaxValue).ThenBy(p => p.Mandatory ? 0 : 1);

    private static CmdletInfo Read(Type type, CustomAttributeData cmdlet)
    {
        var parameters = new List<ParameterInfo>();
        // The class's own parameters before those of its base classes, as they are read.
        for (var t = type; t is not null; t = t.BaseType)
        {
            foreach (var property in t.GetProperties(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly))
                parameters.AddRange(Attributes(property, "ParameterAttribute").Select(a => Parameter(property, a)));
        }

        if (Named(cmdlet, "SupportsShouldProcess") is true)
        {
            parameters.Add(Switch("WhatIf", "wi"));
            parameters.Add(Switch("Confirm", "cf"));
        }

        return new($"{cmdlet.ConstructorArguments[0].Value}-{cmdlet.ConstructorArguments[1].Value}", Named(cmdlet, "DefaultParameterSetName") as string, parameters);
    }

    private static ParameterInfo Switch(string name, string alias) =>
        new(name, AllSets, "SwitchParameter", "System.Management.Automation.SwitchParameter", true, false, null, false, false, false, [alias], []);

    private static ParameterInfo Parameter(PropertyInfo property, CustomAttributeData attribute)
    {
        var type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
        return new(
            property.Name,
            Named(attribute, "ParameterSetName") as string ?? AllSets,
            Short(type),
            type.FullName!,
            type.Name is "SwitchParameter",
            Named(attribute, "Mandatory") is true,
            Named(attribute, "Position") is int position ? position : null,
            Named(attribute, "ValueFromPipeline") is true,
            Named(attribute, "ValueFromPipelineByPropertyName") is true,
            Attributes(property, "SupportsWildcardsAttribute").Any(),
            Strings(property, "AliasAttribute"),
            Strings(property, "ValidateSetAttribute"));
    }

    private static string Short(Type type) => type.FullName switch
    {
        "System.Int64" => "Int64",
        "System.Int32" => "Int32",
        _ => type.Name,
    };

    private static List<string> Strings(PropertyInfo property, string attribute) =>
        [.. Attributes(property, attribute)
            .SelectMany(a => (IEnumerable<CustomAttributeTypedArgument>)a.ConstructorArguments[0].Value!)
            .Select(a => (string)a.Value!)];

    private static IEnumerable<CustomAttributeData> Attributes(MemberInfo member, string name) =>
        member.GetCustomAttributesData().Where(a => string.Equals(a.AttributeType.Name, name, StringComparison.Ordinal));

    private static object? Named(CustomAttributeData attribute, string name) =>
        attribute.NamedArguments.Where(a => string.Equals(a.MemberName, name, StringComparison.Ordinal)).Select(a => a.TypedValue.Value).FirstOrDefault();
}
