using System.Globalization;
using System.Security.Cryptography;

namespace Backup.Engine.Stores.Directories;

/// <summary>Version ids: when it was stored, in 16 hexadecimal digits of 100 ns, a hyphen and 8 random digits. They sort by time.</summary>
internal static class VersionIds
{
    private const int TickDigits = 16;
    private const int RandomDigits = 8;

    private static long _last;

    /// <summary>A moment that no other object of this process has. It becomes the file's last write, which ties the sidecar to it.</summary>
    public static DateTime NextMoment()
    {
        while (true)
        {
            var last = Volatile.Read(ref _last);
            var next = Math.Max(last + 1, DateTime.UtcNow.Ticks);
            if (Interlocked.CompareExchange(ref _last, next, last) == last)
                return new DateTime(next, DateTimeKind.Utc);
        }
    }

    /// <summary>A new id.</summary>
    public static string Create(DateTime moment) => TimePart(moment) + RandomNumberGenerator.GetHexString(RandomDigits, lowercase: true);

    /// <summary>The id of a file that has no sidecar to tell it: always the same for the same last write.</summary>
    public static string ForUnknown(DateTime lastWriteUtc) => TimePart(lastWriteUtc) + new string('0', RandomDigits);

    /// <summary>What all ids of a moment begin with.</summary>
    public static string TimePart(DateTime moment) => moment.Ticks.ToString("x16", CultureInfo.InvariantCulture) + "-";

    /// <summary>Whether a text has the form of an id. Anything else never reaches a path.</summary>
    public static bool IsId(string text) => text.Length == TickDigits + 1 + RandomDigits && text[TickDigits] == '-'
        && text.Where((_, index) => index != TickDigits).All(char.IsAsciiHexDigitLower);
}
