using System.Globalization;
using Backup.Engine.Runs;

namespace Backup.Engine.Folders;

/// <summary>Cache rows as inventory entries and back.</summary>
internal static class FolderInventory
{
    /// <summary>The entry of a row.</summary>
    public static InventoryEntry ToEntry(CacheRow row, ObjectKeys keys)
    {
        var entry = row.Entry;
        var isFile = entry.Kind == FolderEntryKind.File;
        return new()
        {
            Path = entry.Path,
            Type = entry.Kind switch
            {
                FolderEntryKind.Directory => InventoryEntryType.Directory,
                FolderEntryKind.Symlink => InventoryEntryType.Symlink,
                _ => InventoryEntryType.File,
            },
            Key = isFile ? keys.Key(entry.Path) : null,
            Size = entry.Size,
            Sha256 = row.Sha256 is { } hash ? Convert.ToHexStringLower(hash) : null,
            Checksum = row.Checksum,
            Version = row.Version,
            StorageClass = row.StorageClass,
            Mtime = new DateTime(entry.ModifiedTicks, DateTimeKind.Utc),
            Mode = entry.Mode is { } mode ? "0" + Convert.ToString(mode, 8) : null,
            Target = entry.LinkTarget,
        };
    }

    /// <summary>The row of an entry, as far as an inventory tells.</summary>
    public static CacheRow ToRow(InventoryEntry entry) => new(new FolderEntry
    {
        Path = entry.Path,
        Kind = entry.Type switch
        {
            InventoryEntryType.Directory => FolderEntryKind.Directory,
            InventoryEntryType.Symlink => FolderEntryKind.Symlink,
            _ => FolderEntryKind.File,
        },
        Size = entry.Size,
        ModifiedTicks = entry.Mtime is { } time ? time.ToUniversalTime().Ticks : 0,
        Mode = ParseMode(entry.Mode),
        LinkTarget = entry.Target,
    })
    {
        Sha256 = entry.Sha256 is { } hash ? Convert.FromHexString(hash) : null,
        Checksum = entry.Checksum,
        Version = entry.Version,
        StorageClass = entry.StorageClass,
    };

    /// <summary>Permission bits from octal digits; null for anything else.</summary>
    public static int? ParseMode(string? octal)
    {
        if (string.IsNullOrEmpty(octal) || octal.Any(c => c is < '0' or > '7') || octal.Length > 7)
            return null;
        return Convert.ToInt32(octal, 8) & 0xFFF;
    }

    /// <summary>The metadata that travels with an object, so that times and modes survive even where every inventory is lost. Names and forms are rclone's.</summary>
    public static Dictionary<string, string> Metadata(FolderEntry entry)
    {
        var sinceEpoch = entry.ModifiedTicks - DateTime.UnixEpoch.Ticks;
        var (seconds, ticks) = (Math.DivRem(sinceEpoch, TimeSpan.TicksPerSecond, out var rest), rest);
        if (ticks < 0)
            (seconds, ticks) = (seconds - 1, ticks + TimeSpan.TicksPerSecond);
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["mtime"] = string.Create(CultureInfo.InvariantCulture, $"{seconds}.{ticks * 100:000000000}"),
        };
        if (entry.Mode is { } mode)
            metadata["mode"] = "0" + Convert.ToString(mode, 8);
        return metadata;
    }
}
