using System.Globalization;

namespace Backup.Engine.Plans;

/// <summary>An object that was held against its shape, read by name. What it does not have is taken from the object around it, where that has it.</summary>
internal sealed class PlanValues(PlanObject own, PlanValues? outer = null)
{
    /// <summary>Whether it says this itself.</summary>
    public bool Has(string name) => own[name] is not null;

    public string? Text(string name) => (Find(name) as PlanScalar)?.Text;

    public IReadOnlyList<string>? Texts(string name) => TextsOf(Find(name));

    public bool? Flag(string name) => Text(name) is { } text ? text == "true" : null;

    public long? Whole(string name) => Text(name) is { } text ? (long)decimal.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture) : null;

    public double? Number(string name) => Text(name) is { } text ? double.Parse(text, CultureInfo.InvariantCulture) : null;

    public TimeSpan? Span(string name) => Text(name) is { } text ? PlanForms.ParseSpan(text) : null;

    /// <summary>The member of an enumeration that has the text's name.</summary>
    public T? Choice<T>(string name)
        where T : struct, Enum => Text(name) is { } text ? Enum.Parse<T>(text) : null;

    public Uri? Address(string name) => Text(name) is { } text ? new(text) : null;

    /// <summary>Where the secret is kept.</summary>
    public SecretReference? Secret(string name) => Text(name) is { } text ? SecretReference.Parse(text) : null;

    public PlanValues? Object(string name) => Find(name) is PlanObject found ? new(found) : null;

    public IReadOnlyList<PlanObject> Objects(string name) => Find(name) is PlanArray items ? [.. items.Items.OfType<PlanObject>()] : [];

    public IReadOnlyDictionary<string, IReadOnlyList<string>>? Map(string name) =>
        (Find(name) as PlanObject)?.Members.ToDictionary(member => member.Name, member => TextsOf(member.Value) ?? [], StringComparer.Ordinal);

    private PlanNode? Find(string name) => own[name] ?? outer?.Find(name);

    private static IReadOnlyList<string>? TextsOf(PlanNode? node) => node switch
    {
        PlanArray items => [.. items.Items.OfType<PlanScalar>().Select(item => item.Text)],
        PlanScalar one => [one.Text],
        _ => null,
    };
}
