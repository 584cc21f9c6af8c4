using System.Globalization;

namespace Backup.Engine.Plans;

/// <summary>An object that was held against its shape, read by name. What all jobs share is taken from the plan where a job does not have it.</summary>
internal sealed class PlanValues(PlanObject own, PlanValues? plan = null)
{
    /// <summary>Whether it says this itself.</summary>
    public bool Has(string name) => own[name] is not null;

    public string? Text(string name) => (Find(name) as PlanScalar)?.Text;

    public IReadOnlyList<string>? Texts(string name) => TextsOf(Find(name));

    public bool? Flag(string name) => Text(name) is { } text ? text == "true" : null;

    public long? Whole(string name) => Text(name) is { } text ? (long)decimal.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture) : null;

    public double? Number(string name) => Text(name) is { } text ? double.Parse(text, CultureInfo.InvariantCulture) : null;

    public TimeSpan? Span(string name) => Text(name) is { } text ? SpanText.Parse(text) : null;

    /// <summary>The member of an enumeration that has the text's name.</summary>
    public T? Choice<T>(string name)
        where T : struct, Enum => Text(name) is { } text ? Enum.Parse<T>(text) : null;

    /// <summary>An absolute address.</summary>
    /// <exception cref="BackupException"><see cref="FailureKind.InvalidInput"/> where it has the form of an address and is none.</exception>
    public Uri? Address(string name) => Text(name) is not { } text ? null
        : Uri.TryCreate(text, UriKind.Absolute, out var address) ? address
        : throw new BackupException(FailureKind.InvalidInput, $"'{name}' of the plan is no address.", "Write a whole address, such as https://s3.example.com.");

    /// <summary>Where the secret is kept.</summary>
    public SecretReference? Secret(string name) => Text(name) is { } text ? SecretReference.Parse(text) : null;

    public PlanValues? Object(string name) => Find(name) is PlanObject found ? new(found) : null;

    public IReadOnlyList<PlanObject> Objects(string name) => Find(name) is PlanArray items ? [.. items.Items.OfType<PlanObject>()] : [];

    public IReadOnlyDictionary<string, IReadOnlyList<string>>? Map(string name) =>
        (Find(name) as PlanObject)?.Members.ToDictionary(member => member.Name, member => TextsOf(member.Value) ?? [], StringComparer.Ordinal);

    // A name of the plan's own, such as its version, is another thing than a job's.
    private PlanNode? Find(string name) => own[name] ?? (plan is not null && PlanShapes.IsShared(name) ? plan.Find(name) : null);

    private static IReadOnlyList<string>? TextsOf(PlanNode? node) => node switch
    {
        PlanArray items => [.. items.Items.OfType<PlanScalar>().Select(item => item.Text)],
        PlanScalar one => [one.Text],
        _ => null,
    };
}
