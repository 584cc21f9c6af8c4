namespace Backup.Engine.Atlassian;

/// <summary>An API token. Not a record, and never printed.</summary>
/// <param name="value">The token.</param>
public sealed class ApiToken(string value)
{
    internal string Value { get; } = value;

    /// <summary>Not the token.</summary>
    public override string ToString() => "***";
}
