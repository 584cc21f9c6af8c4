using System.Collections.Concurrent;
using System.Reflection;

namespace AtlassianBackup.Pipeline;

/// <summary>
/// A logger for the engine that hands its messages to a callback. The interface it implements (ILogger) lives beside the engine in
/// its load context; a reference to it from this assembly would be resolved in PowerShell's context instead, to nothing or to
/// another module's copy. So it is implemented at run time, on the type that the option itself has.
/// </summary>
internal static class EngineLog
{
    // Microsoft.Extensions.Logging.LogLevel: Trace 0, Debug 1, Information 2, Warning 3, Error 4, Critical 5.
    internal const int Debug = 1;
    internal const int Warning = 3;

    private static readonly ConcurrentDictionary<Type, PropertyInfo?> _properties = new();

    /// <summary>Sets the Logger of an engine's options.</summary>
    /// <param name="options">The options; where they have no Logger nothing happens.</param>
    /// <param name="from">The lowest level that is wanted.</param>
    /// <param name="write">Receives level and message, on any thread.</param>
    internal static void Attach(object options, int from, Action<int, string> write)
    {
        if (_properties.GetOrAdd(options.GetType(), static type => type.GetProperty("Logger")) is not { } property)
            return;
        var logger = DispatchProxy.Create(property.PropertyType, typeof(EngineLogProxy));
        ((EngineLogProxy)logger).Start(from, write);
        property.SetValue(options, logger);
    }
}
