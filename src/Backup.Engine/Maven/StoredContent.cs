using System.Net;
using Backup.Engine.Stores;

namespace Backup.Engine.Maven;

/// <summary>An asset in the store as the body of a request: read as it is sent, and verified; what is not the asset is never sent whole.</summary>
internal sealed class StoredContent : HttpContent
{
    private readonly IObjectStore _store;
    private readonly StoredAsset _asset;

    public StoredContent(IObjectStore store, StoredAsset asset)
    {
        (_store, _asset) = (store, asset);
        Headers.ContentType = new("application/octet-stream");
    }

    /// <summary>Opens an asset of the store, verified as it is read.</summary>
    public static async Task<Stream> OpenAsync(IObjectStore store, StoredAsset asset, CancellationToken cancellationToken)
    {
        var content = await store.ReadAsync(asset.Key, new() { VersionId = asset.VersionId }, cancellationToken);
        return new OwnedStream(content, new VerifiedStream(content.Stream, $"'{asset.Key}'", asset.Size, asset.Hashes, isStored: true));
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        await using var content = await OpenAsync(_store, _asset, cancellationToken);
        await content.CopyToAsync(stream, cancellationToken);
    }

    protected override bool TryComputeLength(out long length)
    {
        length = _asset.Size;
        return true;
    }

    // The verified stream reads another one, and both end together.
    private sealed class OwnedStream(ObjectContent owner, VerifiedStream inner) : ReadOnlyStream
    {
        public override long Length => inner.Length;

        protected override long BytesRead => inner.Position;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => inner.ReadAsync(buffer, cancellationToken);

        public override async ValueTask DisposeAsync()
        {
            await inner.DisposeAsync();
            await owner.DisposeAsync();
            await base.DisposeAsync();
        }
    }
}
