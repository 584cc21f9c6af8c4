using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Backup.Engine;

/// <summary>Trust in one certificate alone, for private endpoints and tests.</summary>
internal static class CertificatePin
{
    /// <summary>Has a handler trust this certificate instead of the system's authorities; null leaves it as it is.</summary>
    [SuppressMessage("Security", "CA5359:Do Not Disable Certificate Validation", Justification = "Only the one certificate that was given is trusted.")]
    public static void Apply(SocketsHttpHandler handler, X509Certificate2? trusted)
    {
        if (trusted is not null)
            handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null && certificate.GetCertHashString(HashAlgorithmName.SHA256) == trusted.GetCertHashString(HashAlgorithmName.SHA256);
    }
}
