using System.Globalization;
using System.Reflection;

namespace AtlassianBackup.Pipeline;

/// <summary>The base class of the logger that <see cref="EngineLog"/> generates; the generator needs it to be public and open.</summary>
public class EngineLogProxy : DispatchProxy
{
    private int _from = int.MaxValue;
    private Action<int, string>? _write;

    internal void Start(int from, Action<int, string> write) => (_from, _write) = (from, write);

    /// <inheritdoc/>
    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        switch (targetMethod?.Name)
        {
            case "IsEnabled":
                return Level(args) >= _from;
            // Log(level, eventId, state, exception, formatter)
            case "Log" when args is { Length: 5 } && Level(args) is var level && level >= _from:
                // An exception's own text is left out on purpose: who logs one says in the message what it means.
                if (((Delegate)args[4]!).DynamicInvoke(args[2], args[3]) is string { Length: > 0 } message)
                    _write?.Invoke(level, message);
                return null;
            default:
                // BeginScope: there are no scopes.
                return null;
        }
    }

    private static int Level(object?[]? args) => Convert.ToInt32(args![0], CultureInfo.InvariantCulture);
}
