using System.Globalization;
using System.Text;

namespace Backup.Engine.Files;

/// <summary>
/// What a folder's root is, apart from its path: another volume at the same place, or the empty directory that is left where
/// nothing is mounted, has another identity. It stays the same across reboots.
/// </summary>
/// <param name="Volume">The file system's type and what identifies it: its id on ext and btrfs, its UUID where udev lists it, and the share or device otherwise.</param>
/// <param name="Directory">The directory's inode there; <c>-</c> where it has none that lasts.</param>
internal sealed record RootIdentity(string Volume, string Directory)
{
    /// <summary>Reads what <see cref="ToString"/> wrote; null where it is nothing of the kind.</summary>
    public static RootIdentity? Parse(string? text) =>
        text?.LastIndexOf('|') is > 0 and var bar ? new(text[..bar], text[(bar + 1)..]) : null;

    /// <inheritdoc/>
    public override string ToString() => $"{Volume}|{Directory}";

    /// <summary>The identity of an open directory on Linux.</summary>
    internal static unsafe RootIdentity OfLinux(int descriptor)
    {
        Libc.FileStatus status;
        fixed (byte* empty = "\0"u8)
        {
            if (Libc.Stat(descriptor, empty, Libc.AtEmptyPath, Libc.FileStatus.Basic | Libc.FileStatus.WithMount, &status) != 0)
                throw Libc.LastFailure("identified", "the folder");
        }

        Libc.VolumeStatus volume;
        if (Libc.StatVolume(descriptor, &volume) != 0)
            throw Libc.LastFailure("identified", "the folder");

        var (type, source) = FindMount(File.ReadLines("/proc/self/mountinfo"), status);

        // Those ids come from the volume's UUID; elsewhere they come from the device number, which moves between boots.
        var id = type is "ext2" or "ext3" or "ext4" or "btrfs" && volume.Id != 0 ? volume.Id.ToString("x16", CultureInfo.InvariantCulture)
            : source.StartsWith("/dev/", StringComparison.Ordinal) ? FindUuid(source) ?? source
            : source;
        return new($"{type}|{id}", volume.HasLastingInodes ? status.Inode.ToString(CultureInfo.InvariantCulture) : "-");
    }

    /// <summary>The identity by what .NET knows of drives.</summary>
    internal static RootIdentity OfDrive(string root)
    {
        var drive = DriveInfo.GetDrives()
            .Where(drive => root.StartsWith(drive.Name, StringComparison.OrdinalIgnoreCase))
            .MaxBy(drive => drive.Name.Length);
        if (drive is null)
            return new("path|" + root, "-");
        try
        {
            return new($"{drive.DriveFormat}|{drive.Name}|{drive.VolumeLabel}|{drive.TotalSize.ToString(CultureInfo.InvariantCulture)}", "-");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return new($"{drive.DriveType}|{drive.Name}", "-");
        }
    }

    /// <summary>Type and source of a mount, from lines as <c>36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw</c>.</summary>
    internal static (string Type, string Source) FindMount(IEnumerable<string> lines, Libc.FileStatus status)
    {
        var mount = (status.Mask & Libc.FileStatus.WithMount) != 0 ? status.Mount.ToString(CultureInfo.InvariantCulture) : null;
        var device = $"{status.DeviceMajor}:{status.DeviceMinor}";
        foreach (var line in lines)
        {
            var fields = line.Split(' ');
            var dash = Array.IndexOf(fields, "-");
            if (dash < 0 || fields.Length < dash + 3 || !string.Equals(fields[mount is null ? 2 : 0], mount ?? device, StringComparison.Ordinal))
                continue;
            return (fields[dash + 1], Unescape(fields[dash + 2]));
        }

        return ("unknown", device);
    }

    private static string? FindUuid(string device)
    {
        const string links = "/dev/disk/by-uuid";
        if (!System.IO.Directory.Exists(links))
            return null;
        var target = new FileInfo(device).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? device;
        return new DirectoryInfo(links).EnumerateFiles()
            .FirstOrDefault(link => string.Equals(link.ResolveLinkTarget(returnFinalTarget: true)?.FullName, target, StringComparison.Ordinal))?.Name;
    }

    // The kernel writes space, tab, newline and backslash as three octal digits.
    private static string Unescape(string field)
    {
        var text = new StringBuilder(field.Length);
        for (var i = 0; i < field.Length; i++)
        {
            if (field[i] == '\\' && i + 3 < field.Length)
            {
                text.Append((char)Convert.ToInt32(field.Substring(i + 1, 3), 8));
                i += 3;
            }
            else
            {
                text.Append(field[i]);
            }
        }

        return text.ToString();
    }
}
