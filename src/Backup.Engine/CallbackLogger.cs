using Backup.Engine.Atlassian;
using Backup.Engine.Documents;
using Backup.Engine.Folders;
using Backup.Engine.Maven;
using Backup.Engine.PrePost;
using Backup.Engine.Runs;
using Backup.Engine.Stores;
using Microsoft.Extensions.Logging;

namespace Backup.Engine;

/// <summary>
/// A logger that hands messages to a callback, and the options that take one. For whoever cannot name ILogger itself:
/// the module's assembly lives in another load context than the engine's dependencies.
/// </summary>
/// <param name="from">The lowest level that is wanted, as the number of a <see cref="LogLevel"/>.</param>
/// <param name="write">Receives level and message, on any thread.</param>
public sealed class CallbackLogger(int from, Action<int, string> write) : ILogger
{
    /// <summary>A logger to the same place, whose messages begin with a name.</summary>
    public CallbackLogger Named(string name) => new(from, (level, message) => write(level, $"{name}: {message}"));

    /// <summary>Gives options this logger.</summary>
    public StoreOptions With(StoreOptions options) => options with { Logger = this };

    /// <inheritdoc cref="With(StoreOptions)"/>
    public FolderSyncOptions With(FolderSyncOptions options) => options with { Logger = this };

    /// <inheritdoc cref="With(StoreOptions)"/>
    public FolderRestoreOptions With(FolderRestoreOptions options) => options with { Logger = this };

    /// <inheritdoc cref="With(StoreOptions)"/>
    public RunRestoreOptions With(RunRestoreOptions options) => options with { Logger = this };

    /// <inheritdoc cref="With(StoreOptions)"/>
    public MavenBackupOptions With(MavenBackupOptions options) => options with { Logger = this };

    /// <inheritdoc cref="With(StoreOptions)"/>
    public MavenRestoreOptions With(MavenRestoreOptions options) => options with { Logger = this };

    /// <inheritdoc cref="With(StoreOptions)"/>
    public MavenCompareOptions With(MavenCompareOptions options) => options with { Logger = this };

    /// <inheritdoc cref="With(StoreOptions)"/>
    public SiteBackupOptions With(SiteBackupOptions options) => options with { Logger = this };

    /// <inheritdoc cref="With(StoreOptions)"/>
    public ExportSaveOptions With(ExportSaveOptions options) => options with { Logger = this };

    /// <inheritdoc cref="With(StoreOptions)"/>
    public PrePostOptions With(PrePostOptions options) => options with { Logger = this };

    /// <inheritdoc cref="With(StoreOptions)"/>
    public PrePostResumeOptions With(PrePostResumeOptions options) => options with { Logger = this };

    /// <inheritdoc cref="With(StoreOptions)"/>
    public DocumentPublishOptions With(DocumentPublishOptions options) => options with { Logger = this };

    /// <inheritdoc/>
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    /// <inheritdoc/>
    public bool IsEnabled(LogLevel logLevel) => (int)logLevel >= from;

    /// <summary>Hands a message on. An exception's own text is left out on purpose: who logs one says in the message what it means.</summary>
    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        ArgumentNullException.ThrowIfNull(formatter);
        if (!IsEnabled(logLevel))
            return;
        try
        {
            write((int)logLevel, formatter(state, exception));
        }
        catch (OperationCanceledException)
        {
            // Whoever listened has left. What is being tidied up must not fail for want of a listener.
        }
    }
}
