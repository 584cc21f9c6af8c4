using System.Collections.Concurrent;
using Backup.TestServers.S3.Auth;
using Backup.TestServers.S3.Storage;

namespace Backup.TestServers.S3.Http;

/// <summary>What every request of one server shares.</summary>
internal sealed class S3Services(StrictS3Options options, S3Store store)
{
    public StrictS3Options Options { get; } = options;

    public S3Store Store { get; } = store;

    public ServerClock Clock { get; } = new();

    public CredentialStore Credentials { get; } = new();

    public FaultScript Faults { get; } = new();

    public ConcurrentQueue<RequestRecord> Requests { get; } = new();

    public ConcurrentDictionary<string, OperationCounter> Counters { get; } = new(StringComparer.Ordinal);

    public Func<RequestRecord, bool>? Deny { get; set; }

    public Action<RequestRecord>? Answered { get; set; }

    public CancellationTokenSource Stopping { get; } = new();
}
