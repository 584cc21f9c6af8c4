using System.Text.Json.Nodes;
using Backup.Engine;

namespace Backup.Host.Lambda;

/// <summary>What became of an event's items. Where one failed the event has failed: nobody reads a success for what it leaves out.</summary>
/// <param name="items">What the items are, in the plural.</param>
internal sealed class FunctionTally(string items)
{
    private readonly Dictionary<Outcome, int> _outcomes = [];
    private BackupException? _first;
    private long _bytes;

    /// <summary>Takes note of an item.</summary>
    public void Add(string name, Outcome outcome, long bytes, FailureKind? kind, string? reason, string? advice)
    {
        _outcomes[outcome] = _outcomes.GetValueOrDefault(outcome) + 1;
        _bytes += bytes;
        if (outcome == Outcome.Failed)
            _first ??= new(kind ?? FailureKind.Unknown, $"{name}: {reason}", advice);
    }

    /// <summary>The answer to the event.</summary>
    /// <exception cref="BackupException">An item failed.</exception>
    public JsonObject ToAnswer()
    {
        var all = _outcomes.Values.Sum();
        if (_first is { } failure)
            throw new BackupException(failure.Kind, $"{_outcomes[Outcome.Failed]} of {all} {items} failed. {failure.Message}", failure.Advice, failure);
        return new()
        {
            ["outcome"] = _outcomes.ContainsKey(Outcome.Completed) || all == 0 ? nameof(Outcome.Completed) : _outcomes.Keys.First().ToString(),
            ["items"] = all,
            ["outcomes"] = new JsonObject(_outcomes.OrderBy(pair => pair.Key).Select(pair => KeyValuePair.Create(char.ToLowerInvariant(pair.Key.ToString()[0]) + pair.Key.ToString()[1..], (JsonNode?)pair.Value))),
            ["bytes"] = _bytes,
        };
    }
}
