namespace Backup.Engine.Stores;

/// <summary>An open object. Disposing it closes the stream.</summary>
/// <param name="Object">The object as the store describes it.</param>
/// <param name="Stream">Its bytes, or those of the range that was asked for. It ends with an exception, never early, where bytes are missing.</param>
public sealed record ObjectContent(StoredObject Object, Stream Stream) : IAsyncDisposable
{
    /// <inheritdoc/>
    public ValueTask DisposeAsync() => Stream.DisposeAsync();
}
