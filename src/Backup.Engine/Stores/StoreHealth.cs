namespace Backup.Engine.Stores;

/// <summary>Tells a store that has become useless from files that fail one by one, so that a run does not fail a million times for one reason.</summary>
internal sealed class StoreHealth
{
    private const int ConsecutiveLimit = 10;

    private readonly Lock _lock = new();
    private int _consecutive;

    /// <summary>The failure that ends the run, or null.</summary>
    public BackupException? Fatal { get; private set; }

    /// <summary>Something was stored.</summary>
    public void Success()
    {
        lock (_lock)
            _consecutive = 0;
    }

    /// <summary>Something was not stored; true where nothing more will be.</summary>
    public bool Failure(BackupException exception)
    {
        lock (_lock)
        {
            var fatal = exception.Kind switch
            {
                FailureKind.AuthenticationFailed or FailureKind.CredentialsExpired or FailureKind.WrongRegion or FailureKind.WrongOwner
                    or FailureKind.NoSpace or FailureKind.NotSupported => true,
                FailureKind.Unavailable or FailureKind.TimedOut or FailureKind.Throttled => ++_consecutive >= ConsecutiveLimit,
                _ => false,
            };
            if (fatal)
                Fatal ??= exception;
            return fatal;
        }
    }
}
