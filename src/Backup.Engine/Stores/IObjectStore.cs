namespace Backup.Engine.Stores;

/// <summary>
/// A place that keeps objects by key: an S3 bucket (or a prefix of one), or a directory.
/// Every failure is a <see cref="BackupException"/>; every implementation passes <c>ObjectStoreContract</c> in the tests.
/// Members may be called from many threads at once.
/// </summary>
/// <remarks>
/// A key is any well-formed Unicode string of 1 to 1,024 UTF-8 bytes, relative to <see cref="Location"/>.
/// Keys are compared and listed by their UTF-8 bytes.
/// </remarks>
public interface IObjectStore : IAsyncDisposable
{
    /// <summary>The place that keys are relative to.</summary>
    StoreLocation Location { get; }

    /// <summary>What this store can do beyond the common contract.</summary>
    StoreAbilities Abilities { get; }

    /// <summary>
    /// Finds out whether the store can be reached and used, so that a wrong name or an expired key is one failure and not one for each object.
    /// With <paramref name="forWriting"/> it also finds out how the store proves what it receives, which may write and remove a tiny object.
    /// </summary>
    Task CheckAsync(bool forWriting, CancellationToken cancellationToken = default);

    /// <summary>
    /// Stores the rest of <paramref name="content"/> under <paramref name="key"/> and returns once the store has confirmed it.
    /// Before that nothing is visible, and after a failure or a cancellation nothing is left behind.
    /// An exception thrown by the content stream aborts the write and is passed on.
    /// </summary>
    /// <exception cref="BackupException">
    /// <see cref="FailureKind.AlreadyExists"/> with <see cref="WriteOptions.OnlyIfAbsent"/>;
    /// <see cref="FailureKind.LengthMismatch"/> when the source is not <see cref="WriteOptions.Length"/> bytes long;
    /// <see cref="FailureKind.ChecksumMismatch"/> when the source is not <see cref="WriteOptions.ExpectedSha256"/>, or the store received something else.
    /// </exception>
    Task<StoredObject> WriteAsync(string key, Stream content, WriteOptions? options = null, CancellationToken cancellationToken = default);

    /// <summary>
    /// Opens an object, or a range of it. The caller disposes the result. A range must begin inside the object (or at 0 of an empty one);
    /// one that reaches past the end is cut there, and one of length 0 is empty.
    /// </summary>
    /// <exception cref="BackupException"><see cref="FailureKind.NotFound"/>; <see cref="FailureKind.Archived"/>; <see cref="FailureKind.InvalidInput"/> for a range outside the object.</exception>
    Task<ObjectContent> ReadAsync(string key, ReadOptions? options = null, CancellationToken cancellationToken = default);

    /// <summary>Describes an object, or returns null where there is none.</summary>
    Task<StoredObject?> HeadAsync(string key, string? versionId = null, CancellationToken cancellationToken = default);

    /// <summary>Lists the current objects whose key begins with <paramref name="prefix"/>, in the order of their UTF-8 bytes. Sizes and times are given, hashes and metadata only where they cost no further request.</summary>
    IAsyncEnumerable<StoredObject> ListAsync(string prefix = "", CancellationToken cancellationToken = default);

    /// <summary>
    /// Deletes objects; a key that is not there counts as deleted. One result a key, in no particular order, failures included.
    /// Where the store keeps versions, older versions stay readable by their id.
    /// </summary>
    IAsyncEnumerable<DeleteResult> DeleteAsync(IAsyncEnumerable<string> keys, CancellationToken cancellationToken = default);

    /// <summary>Removes for good what was overwritten or deleted longer ago. In S3 the bucket's lifecycle rule does that, and this does nothing.</summary>
    Task ExpireVersionsAsync(TimeSpan olderThan, CancellationToken cancellationToken = default);

    /// <summary>Asks for a readable copy of an archived object, and says where that stands. Asking again is harmless.</summary>
    /// <exception cref="BackupException"><see cref="FailureKind.NotSupported"/> where <see cref="StoreAbilities.ArchiveRestore"/> is false.</exception>
    Task<ArchiveState> RequestRestoreAsync(string key, RestoreRequest request, CancellationToken cancellationToken = default);
}
