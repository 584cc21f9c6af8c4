using System.Globalization;
using System.Text.RegularExpressions;

namespace Backup.Engine.Plans;

/// <summary>Holds a plan against its shape. Every problem is found, and no value is repeated: it may be a secret in the wrong place.</summary>
internal sealed class PlanChecker(PlanProblems problems)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    /// <summary>Checks an object.</summary>
    public void Check(PlanObject value, PlanShape shape, string path)
    {
        shape = shape.Resolve?.Invoke(value) ?? shape;
        var isKnown = shape.Resolve is null;
        foreach (var member in value.Members)
        {
            if (problems.IsFull)
                return;
            if (shape[member.Name] is { } property)
                CheckValue(member.Value, property, PlanPath.Below(path, member.Name));
            // Of a job whose system is not known nothing else can be said.
            else if (isKnown)
                Unknown(member, shape, path);
        }

        foreach (var missing in shape.Properties.Where(property => property.IsRequired && value[property.Name] is null))
            problems.Add(value, path, $"'{missing.Name}' is missing", $"Add '{missing.Name}': {Lower(missing.Description)}");
        if (!isKnown)
            return;
        if (shape.AnyOf.Count > 0 && !shape.AnyOf.Any(name => value[name] is not null))
            problems.Add(value, path, $"none of {Words(shape.AnyOf)} is there", $"Add {Words(shape.AnyOf, "or")}.");
        foreach (var (name, other) in shape.Needs.Where(need => value[need.Property] is not null).SelectMany(need => need.Others.Where(other => value[other] is null).Select(other => (need.Property, other))))
            problems.Add(value, path, $"'{name}' is there without '{other}'", $"Add '{other}', or leave '{name}' out.");
        foreach (var (one, other) in shape.Excludes.Where(pair => value[pair.One] is not null && value[pair.Other] is not null))
            problems.Add(value[other]!, path, $"'{one}' and '{other}' are both there", "Keep one of them.");
    }

    private void CheckValue(PlanNode value, PlanProperty property, string path)
    {
        switch (property.Type)
        {
            case PlanType.Texts:
                CheckTexts(value, property, path);
                break;
            case PlanType.Object or PlanType.TextOrObject when value is PlanObject found:
                Check(found, property.Shape!, path);
                break;
            case PlanType.Objects when value is PlanArray { Items.Count: > PlanLimits.MaxJobs }:
                problems.Add(value, path, $"has more than {PlanLimits.MaxJobs}", "Make several plans of it.");
                break;
            case PlanType.Objects when value is PlanArray { Items.Count: > 0 } items:
                for (var i = 0; i < items.Items.Count; i++)
                {
                    if (items.Items[i] is PlanObject item)
                        Check(item, property.Shape!, PlanPath.Item(path, i));
                    else
                        Wrong(items.Items[i], PlanPath.Item(path, i), "an object");
                }

                break;
            case PlanType.Map when value is PlanObject map:
                foreach (var member in map.Members)
                    CheckTexts(member.Value, property, PlanPath.Below(path, member.Name));
                break;
            default:
                CheckScalar(value, property, path);
                break;
        }
    }

    private void CheckTexts(PlanNode value, PlanProperty property, string path)
    {
        if (value is not PlanArray several)
            CheckScalar(value, property with { Type = PlanType.Text }, path, "a text, or an array of texts");
        else if (several.Items.Count == 0)
            problems.Add(value, path, "is an empty array", "Name something, or leave it out.");
        else
        {
            for (var i = 0; i < several.Items.Count && !problems.IsFull; i++)
                CheckScalar(several.Items[i], property with { Type = PlanType.Text }, PlanPath.Item(path, i));
        }
    }

    private void CheckScalar(PlanNode value, PlanProperty property, string path, string? expected = null)
    {
        expected ??= Expected(property);
        if (value is not PlanScalar scalar || scalar.Kind == PlanScalarKind.Null)
        {
            Wrong(value, path, expected);
            return;
        }

        switch (property.Type, scalar.Kind)
        {
            case (PlanType.Flag, PlanScalarKind.Flag):
                break;
            case (PlanType.Id, PlanScalarKind.Number) when scalar.Text.All(char.IsAsciiDigit):
                break;
            case (PlanType.Whole or PlanType.Number, PlanScalarKind.Number):
                CheckNumber(scalar, property, path, expected);
                break;
            case (PlanType.Secret, PlanScalarKind.Text) when !Matches(scalar.Text, PlanForms.Secret):
                problems.Add(scalar, path, $"is not {PlanForms.SecretForm}", "A plan never holds a secret itself: put it where only this machine reads it, and name that place. If a secret stands there now, take it out and renew it.");
                break;
            case (PlanType.Text or PlanType.Id or PlanType.Span or PlanType.Address or PlanType.Secret or PlanType.TextOrObject, PlanScalarKind.Text):
                CheckText(scalar, property, path, expected);
                break;
            default:
                Wrong(scalar, path, expected);
                break;
        }
    }

    private void CheckNumber(PlanScalar scalar, PlanProperty property, string path, string expected)
    {
        if (!decimal.TryParse(scalar.Text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            || (property.Type == PlanType.Whole && number != decimal.Truncate(number))
            || number < property.Min || number > property.Max)
        {
            Wrong(scalar, path, expected);
        }
    }

    private void CheckText(PlanScalar scalar, PlanProperty property, string path, string expected)
    {
        var pattern = property.Type switch
        {
            PlanType.Span => PlanForms.Span,
            PlanType.Address => PlanForms.Address,
            _ => property.Pattern,
        };
        if (scalar.Text.Length == 0 && !property.MayBeEmpty)
            problems.Add(scalar, path, "is empty", "Write something, or leave it out.");
        else if (property.Choices?.Contains(scalar.Text, StringComparer.Ordinal) == false || (pattern is not null && !Matches(scalar.Text, pattern)))
            Wrong(scalar, path, expected);
    }

    private void Wrong(PlanNode value, string path, string expected)
    {
        var what = value switch
        {
            PlanObject => "is an object",
            PlanArray => "is an array",
            PlanScalar { Kind: PlanScalarKind.Null } => "is empty",
            PlanScalar { Kind: PlanScalarKind.Number } => "is a number",
            PlanScalar { Kind: PlanScalarKind.Flag } => "is true or false",
            _ => "is a text",
        };
        var isForm = value is PlanScalar { Kind: not PlanScalarKind.Null };
        problems.Add(value, path, isForm ? $"is not {expected}" : $"{what}, and not {expected}", value is PlanScalar { Kind: PlanScalarKind.Number or PlanScalarKind.Flag } && expected.StartsWith("a text", StringComparison.Ordinal) ? "Put it in quotes." : $"Write {expected}.");
    }

    private void Unknown(PlanMember member, PlanShape shape, string path)
    {
        var names = shape.Properties.Select(property => property.Name).ToList();
        var close = names.Select(name => (Name: name, Distance: Distance(name, member.Name))).Where(pair => pair.Distance <= Math.Max(2, pair.Name.Length / 3)).OrderBy(pair => pair.Distance).Select(pair => pair.Name).FirstOrDefault();
        var why = member.Name == PlanShapes.Keep.Name ? " Old runs are pruned of Confluence, Jira and GitHub only." : "";
        problems.Add(
            member.Line,
            member.Column,
            PlanPath.Below(path, member.Name),
            $"is not known here{(close is null ? "" : $" (is '{close}' meant?)")}",
            $"{(shape.Name == "plan" ? "A plan" : $"'{shape.Name}'")} has {string.Join(", ", names)}.{why}");
    }

    private static string Expected(PlanProperty property) => property switch
    {
        { Choices: [var only] } => $"'{only}'",
        { Choices: { } choices } => $"one of {string.Join(", ", choices)}",
        { Type: PlanType.Span } => PlanForms.SpanForm,
        { Type: PlanType.Address } => PlanForms.AddressForm,
        { Type: PlanType.Secret } => PlanForms.SecretForm,
        { Form: { } form } => form,
        { Type: PlanType.Flag } => "true or false",
        { Type: PlanType.Whole, Min: { } min, Max: { } max } when min == max => $"{min}",
        { Type: PlanType.Whole or PlanType.Number, Min: { } min, Max: { } max } => $"a {(property.Type == PlanType.Whole ? "whole " : "")}number from {min} to {max}",
        { Type: PlanType.Whole } => "a whole number",
        { Type: PlanType.Number } => "a number",
        { Type: PlanType.Object or PlanType.Map } => "an object",
        { Type: PlanType.TextOrObject } => "a text, or an object",
        { Type: PlanType.Objects } => "an array of one object or more",
        _ => "a text",
    };

    // In .NET a dollar sign also stands before a line break at the end; in a schema it does not.
    private static bool Matches(string text, string pattern) => Regex.IsMatch(text, pattern[..^1] + "\\z", RegexOptions.CultureInvariant, Patience);

    private static string Words(IReadOnlyList<string> names, string last = "and") => names.Count == 1 ? $"'{names[0]}'" : $"{string.Join(", ", names.SkipLast(1).Select(name => $"'{name}'"))} {last} '{names[^1]}'";

    private static string Lower(string text) => char.ToLowerInvariant(text[0]) + text[1..];

    // Levenshtein's, over two rows.
    private static int Distance(string a, string b)
    {
        b = b.Length > 40 ? b[..40] : b;
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var cost = char.ToLowerInvariant(a[i - 1]) == char.ToLowerInvariant(b[j - 1]) ? 0 : 1;
                (diagonal, row[j]) = (row[j], Math.Min(Math.Min(row[j], row[j - 1]) + 1, diagonal + cost));
            }
        }

        return row[^1];
    }
}
