using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;

namespace AtlassianBackup;

/// <summary>Completes an argument from a list. It asks no network, and never throws: completion that fails completes nothing.</summary>
public abstract class ListCompleter : IArgumentCompleter
{
    /// <summary>The values, and what each means where the name does not say it.</summary>
    protected abstract IEnumerable<(string Value, string Tip)> Values();

    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters)
    {
        try
        {
            var word = (wordToComplete ?? "").Trim('\'', '"');
            return [.. from value in Values()
                       where value.Value.StartsWith(word, StringComparison.OrdinalIgnoreCase)
                       select new CompletionResult(Quote(value.Value), value.Value, CompletionResultType.ParameterValue, value.Tip)];
        }
        catch (Exception)
        {
            return [];
        }
    }

    private static string Quote(string value) =>
        value.All(c => char.IsLetterOrDigit(c) || c is '-' or '_' or '.' or '/') ? value : "'" + value.Replace("'", "''", StringComparison.Ordinal) + "'";
}
