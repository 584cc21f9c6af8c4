namespace Backup.Engine.Stores;

/// <summary>What became of one deletion.</summary>
/// <param name="Key">The key.</param>
/// <param name="Failure">Null where it is gone.</param>
public sealed record DeleteResult(string Key, BackupException? Failure);
