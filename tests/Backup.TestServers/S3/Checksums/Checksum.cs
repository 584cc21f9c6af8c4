using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Backup.TestServers.S3.Checksums;

/// <summary>One running checksum of one body.</summary>
internal abstract class Checksum : IDisposable
{
    public abstract void Append(ReadOnlySpan<byte> data);

    public abstract byte[] Finish();

    public virtual void Dispose()
    {
    }

    public static Checksum Of(ReflectedCrc crc) => new Crc(crc);

    public static Checksum Of(HashAlgorithmName name) => new Digest(name);

    private sealed class Crc(ReflectedCrc crc) : Checksum
    {
        private ulong _state = crc.Start();

        public override void Append(ReadOnlySpan<byte> data) => _state = crc.Append(_state, data);

        public override byte[] Finish()
        {
            var bytes = new byte[8];
            BinaryPrimitives.WriteUInt64BigEndian(bytes, crc.Finish(_state));
            return bytes[(8 - (crc.Width / 8))..];
        }
    }

    private sealed class Digest(HashAlgorithmName name) : Checksum
    {
        private readonly IncrementalHash _hash = IncrementalHash.CreateHash(name);

        public override void Append(ReadOnlySpan<byte> data) => _hash.AppendData(data);

        public override byte[] Finish() => _hash.GetCurrentHash();

        public override void Dispose()
        {
            _hash.Dispose();
            base.Dispose();
        }
    }
}
