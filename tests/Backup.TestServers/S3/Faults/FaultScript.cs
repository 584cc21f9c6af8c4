using System.Collections.Immutable;

namespace Backup.TestServers.S3;

/// <summary>The faults in force. Every one that matches a request acts on it, in the order they were added.</summary>
public sealed class FaultScript
{
    private ImmutableList<Fault> _faults = [];

    public Fault Add(Fault fault)
    {
        ImmutableInterlocked.Update(ref _faults, list => list.Add(fault));
        return fault;
    }

    /// <summary>Hits the next <paramref name="times"/> requests of an operation.</summary>
    public Fault Add(string operation, FaultAction action, int times = 1) => Add(new Fault
    {
        Match = r => r.Operation.Equals(operation, StringComparison.Ordinal),
        Action = action,
        Times = times,
    });

    public void Clear() => _faults = [];

    internal FaultPlan Take(RequestRecord request)
    {
        var faults = _faults;
        return faults.IsEmpty ? FaultPlan.None : new FaultPlan([.. faults.Where(f => f.Take(request)).Select(f => f.Action)]);
    }
}

/// <summary>What is to go wrong with one request.</summary>
internal sealed class FaultPlan(IReadOnlyList<FaultAction> actions)
{
    public static readonly FaultPlan None = new([]);

    public IReadOnlyList<FaultAction> Actions { get; } = actions;

    public FaultAction? Find(FaultAction.Kind kind) => Actions.FirstOrDefault(a => a.What == kind);

    public bool Has(FaultAction.Kind kind) => Find(kind) is not null;
}
