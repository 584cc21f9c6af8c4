using System.Globalization;
using Backup.Engine.Files;
using Backup.Engine.Runs;

namespace Backup.Engine.Folders;

/// <summary>Cache rows as inventory entries and back.</summary>
internal static class FolderInventory
{
    /// <summary>The entry of a row.</summary>
    public static InventoryEntry ToEntry(CacheRow row, ObjectKeys keys)
    {
        var entry = row.Entry;
        var isFile = entry.Kind == FileEntryKind.File;
        return new()
        {
            Path = entry.Path,
            Type = entry.Kind switch
            {
                FileEntryKind.Directory => InventoryEntryType.Directory,
                FileEntryKind.Symlink => InventoryEntryType.Symlink,
                _ => InventoryEntryType.File,
            },
            Key = isFile ? keys.Key(entry.Path) : null,
            Size = entry.Size,
            Sha256 = row.Sha256 is { } hash ? Convert.ToHexStringLower(hash) : null,
            Checksum = row.Checksum,
            Version = row.Version,
            StorageClass = row.StorageClass,
            Mtime = new DateTime(entry.ModifiedTicks, DateTimeKind.Utc),
            Mode = InventoryEntry.FormatMode(entry.Mode),
            Target = entry.LinkTarget,
        };
    }

    /// <summary>The row of an entry, as far as an inventory tells.</summary>
    public static CacheRow ToRow(InventoryEntry entry) => new(new FileEntry
    {
        Path = entry.Path,
        Kind = entry.Type switch
        {
            InventoryEntryType.Directory => FileEntryKind.Directory,
            InventoryEntryType.Symlink => FileEntryKind.Symlink,
            _ => FileEntryKind.File,
        },
        Size = entry.Size,
        ModifiedTicks = entry.Mtime is { } time ? time.ToUniversalTime().Ticks : 0,
        Mode = InventoryEntry.ParseMode(entry.Mode),
        LinkTarget = entry.Target,
    })
    {
        Sha256 = entry.Sha256 is { } hash ? Convert.FromHexString(hash) : null,
        Checksum = entry.Checksum,
        Version = entry.Version,
        StorageClass = entry.StorageClass,
    };

    /// <summary>The modification time in an object's metadata, in UTC ticks; null where there is none.</summary>
    public static long? ModifiedTicks(IReadOnlyDictionary<string, string> metadata) =>
        decimal.TryParse(metadata.GetValueOrDefault("mtime"), NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds)
        && decimal.Floor(seconds * TimeSpan.TicksPerSecond) + DateTime.UnixEpoch.Ticks is >= 0 and var ticks && ticks <= DateTime.MaxValue.Ticks
            ? (long)ticks
            : null;

    /// <summary>The metadata that travels with an object, so that times and modes survive even where every inventory is lost. Names and forms are rclone's.</summary>
    public static Dictionary<string, string> Metadata(FileEntry entry)
    {
        var sinceEpoch = entry.ModifiedTicks - DateTime.UnixEpoch.Ticks;
        var (seconds, ticks) = (Math.DivRem(sinceEpoch, TimeSpan.TicksPerSecond, out var rest), rest);
        if (ticks < 0)
            (seconds, ticks) = (seconds - 1, ticks + TimeSpan.TicksPerSecond);
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["mtime"] = string.Create(CultureInfo.InvariantCulture, $"{seconds}.{ticks * 100:000000000}"),
        };
        if (InventoryEntry.FormatMode(entry.Mode) is { } mode)
            metadata["mode"] = mode;
        return metadata;
    }
}
