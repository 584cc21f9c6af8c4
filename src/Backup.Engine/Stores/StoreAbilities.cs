namespace Backup.Engine.Stores;

/// <summary>What a store can do beyond the common contract.</summary>
/// <param name="StorageClasses">Objects have a storage class.</param>
/// <param name="Versions">Overwritten and deleted objects stay readable by version id.</param>
/// <param name="ArchiveRestore">Objects can be in an archive and be restored from it.</param>
/// <param name="Parallelism">How many writes or reads at once serve it best; it bounds itself below that.</param>
public sealed record StoreAbilities(bool StorageClasses, bool Versions, bool ArchiveRestore, int Parallelism);
