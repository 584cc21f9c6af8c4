namespace AtlassianBackup.Pipeline;

/// <summary>Calls back on the reporting thread. (<see cref="Progress{T}"/> would queue each report to the thread pool.)</summary>
/// <remarks>Generic, because a class that names an engine type in its interfaces would load the engine at import.</remarks>
internal sealed class CallbackProgress<T>(Action<T> report) : IProgress<T>
{
    public void Report(T value) => report(value);
}
