using System.Buffers;
using System.Globalization;
using System.Text;

namespace Backup.Engine.GitHub.Git;

/// <summary>Writes packet lines.</summary>
internal static class PktLine
{
    /// <summary>0000.</summary>
    public static void WriteFlush(IBufferWriter<byte> to) => to.Write("0000"u8);

    /// <summary>A line of text.</summary>
    public static void Write(IBufferWriter<byte> to, string text) =>
        Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{Encoding.UTF8.GetByteCount(text) + 4:x4}{text}"), to);
}
