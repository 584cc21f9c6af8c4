namespace Backup.Engine.Plans;

/// <summary>A piece of a plan, of JSON or of YAML, and where it stands.</summary>
/// <param name="Line">From 1.</param>
/// <param name="Column">From 1.</param>
internal abstract record PlanNode(int Line, int Column);

/// <summary>Names and values, in the order of the file. Each name is there once.</summary>
internal sealed record PlanObject(int Line, int Column, IReadOnlyList<PlanMember> Members) : PlanNode(Line, Column)
{
    /// <summary>The value of a name, or null.</summary>
    public PlanNode? this[string name] => Members.FirstOrDefault(member => member.Name == name)?.Value;
}

/// <summary>A name and its value.</summary>
internal sealed record PlanMember(string Name, int Line, int Column, PlanNode Value);

/// <summary>Values in a row.</summary>
internal sealed record PlanArray(int Line, int Column, IReadOnlyList<PlanNode> Items) : PlanNode(Line, Column);

/// <summary>What a single value is.</summary>
internal enum PlanScalarKind
{
    Text,
    Number,
    Flag,
    Null,
}

/// <summary>A single value, as it is written.</summary>
internal sealed record PlanScalar(int Line, int Column, PlanScalarKind Kind, string Text) : PlanNode(Line, Column);
