using System.Reflection;

namespace Backup.Engine;

/// <summary>The version of this product.</summary>
internal static class ProductVersion
{
    /// <summary>As in the module's manifest, without build metadata.</summary>
    public static string Current { get; } =
        (typeof(ProductVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0").Split('+')[0];
}
