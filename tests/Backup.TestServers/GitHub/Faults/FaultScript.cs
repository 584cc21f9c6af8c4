using System.Collections.Immutable;

namespace Backup.TestServers.GitHub.Faults;

/// <summary>The faults in force. The first that matches a request acts on it.</summary>
public sealed class FaultScript
{
    private ImmutableList<Fault> _faults = [];

    public Fault Add(Fault fault)
    {
        ImmutableInterlocked.Update(ref _faults, list => list.Add(fault));
        return fault;
    }

    /// <summary>Hits the next <paramref name="times"/> requests whose path contains a text.</summary>
    public Fault Add(string pathContains, FaultAction action, int times = 1, int skip = 0) => Add(new Fault
    {
        Match = request => request.Path.Contains(pathContains, StringComparison.Ordinal),
        Action = action,
        Times = times,
        Skip = skip,
    });

    public void Clear() => _faults = [];

    internal FaultAction? Take(RequestRecord request) => _faults.FirstOrDefault(fault => fault.Take(request))?.Action;
}
