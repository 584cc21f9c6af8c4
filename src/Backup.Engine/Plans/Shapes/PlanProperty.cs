namespace Backup.Engine.Plans;

/// <summary>What the value of a property is.</summary>
internal enum PlanType
{
    /// <summary>Text, not empty.</summary>
    Text,

    /// <summary>Text, or whole numbers as such: ids that some write without quotes.</summary>
    Id,

    /// <summary>One text, or several in an array.</summary>
    Texts,

    /// <summary>true or false.</summary>
    Flag,

    /// <summary>A whole number.</summary>
    Whole,

    /// <summary>Any number.</summary>
    Number,

    /// <summary>A span of time: <c>30m</c>, <c>26h</c>, <c>01:30:00</c>.</summary>
    Span,

    /// <summary>An http or https address.</summary>
    Address,

    /// <summary>Where a secret is kept; never the secret.</summary>
    Secret,

    /// <summary>Names of one's own, each with a text, or with several.</summary>
    Map,

    /// <summary>An object of <see cref="PlanProperty.Shape"/>.</summary>
    Object,

    /// <summary>A text, or an object of <see cref="PlanProperty.Shape"/>.</summary>
    TextOrObject,

    /// <summary>An array of objects of <see cref="PlanProperty.Shape"/>.</summary>
    Objects,
}

/// <summary>A property that a plan may have. The reader and the JSON Schema are both made of these.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">What its value is.</param>
/// <param name="Description">What it does, for the schema.</param>
internal sealed record PlanProperty(string Name, PlanType Type, string Description)
{
    /// <summary>Whether it has to be there.</summary>
    public bool IsRequired { get; init; }

    /// <summary>The texts that are allowed, or null for any.</summary>
    public IReadOnlyList<string>? Choices { get; init; }

    /// <summary>The least number.</summary>
    public decimal? Min { get; init; }

    /// <summary>The greatest number.</summary>
    public decimal? Max { get; init; }

    /// <summary>A regular expression, of those that .NET and ECMAScript read alike, that the text has to match from its beginning to its end; or null.</summary>
    public string? Pattern { get; init; }

    /// <summary>What matches the pattern, in words.</summary>
    public string? Form { get; init; }

    /// <summary>Whether the text may be empty.</summary>
    public bool MayBeEmpty { get; init; }

    /// <summary>The object's shape.</summary>
    public PlanShape? Shape { get; init; }

    /// <summary>What it is where it is not given, for the schema.</summary>
    public object? Default { get; init; }
}

/// <summary>The properties of an object, and how they go together.</summary>
/// <param name="Name">What the schema calls it.</param>
/// <param name="Description">What it is.</param>
/// <param name="Properties">What it may have.</param>
internal sealed record PlanShape(string Name, string Description, IReadOnlyList<PlanProperty> Properties)
{
    /// <summary>Of these at least one has to be there; empty for no such rule.</summary>
    public IReadOnlyList<string> AnyOf { get; init; } = [];

    /// <summary>Where the first is there, the others have to be, too.</summary>
    public IReadOnlyList<(string Property, IReadOnlyList<string> Others)> Needs { get; init; } = [];

    /// <summary>Two that cannot be there together.</summary>
    public IReadOnlyList<(string One, string Other)> Excludes { get; init; } = [];

    /// <summary>The property of a name, or null.</summary>
    public PlanProperty? this[string name] => Properties.FirstOrDefault(property => property.Name == name);

    /// <summary>The shape that an object of this one really has, by what it says of itself; null for this shape.</summary>
    public Func<PlanObject, PlanShape?>? Resolve { get; init; }
}
