using System.Globalization;

namespace Backup.Engine.Aws.Api;

/// <summary>The form of an ec2-query request: lists are numbered from 1.</summary>
internal sealed class QueryForm
{
    private readonly List<KeyValuePair<string, string>> _fields = [];

    /// <summary>The fields, in order.</summary>
    public IEnumerable<KeyValuePair<string, string>> Fields => _fields;

    /// <summary>Adds a field where it has a value.</summary>
    public QueryForm With(string name, string? value)
    {
        if (value is not null)
            _fields.Add(new(name, value));
        return this;
    }

    /// <summary>Adds a field where it has a value.</summary>
    public QueryForm With(string name, bool? value) => With(name, value switch { true => "true", false => "false", null => null });

    /// <summary>Adds a field where it has a value.</summary>
    public QueryForm With(string name, int? value) => With(name, value?.ToString(CultureInfo.InvariantCulture));

    /// <summary>Adds a list.</summary>
    public QueryForm With(string name, IReadOnlyList<string>? values)
    {
        for (var i = 0; i < (values?.Count ?? 0); i++)
            _fields.Add(new($"{name}.{i + 1}", values![i]));
        return this;
    }
}
