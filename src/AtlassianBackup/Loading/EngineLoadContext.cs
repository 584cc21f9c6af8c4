using System.Reflection;
using System.Runtime.Loader;

namespace AtlassianBackup.Loading;

/// <summary>
/// Where the engine and everything it depends on lives, apart from PowerShell's own context. AWSSDK.Core has had the same
/// assembly version for years, so whichever one a session loads first would serve everybody; in here the engine has its own,
/// whatever AWS.Tools has loaded.
/// </summary>
internal sealed class EngineLoadContext : AssemblyLoadContext
{
    internal const string EngineName = "Backup.Engine";

    // One for the life of the process: types from a second context would not be the same types, and objects of a removed
    // module may still be held by variables.
    private static readonly Lazy<EngineLoadContext> _instance = new(() => new(DependenciesDirectory()));

    private readonly AssemblyDependencyResolver _resolver;
    private readonly string _directory;

    private EngineLoadContext(string directory)
        : base("AtlassianBackup", isCollectible: false)
    {
        _directory = directory;
        // Reads Backup.Engine.deps.json, which also knows where each system's native SQLite is.
        _resolver = new(Path.Combine(directory, EngineName + ".dll"));
    }

    internal static EngineLoadContext Instance => _instance.Value;

    internal Assembly LoadEngine() => LoadFromAssemblyPath(Path.Combine(_directory, EngineName + ".dll"));

    // Anything that is not beside the engine (the framework itself) falls through to the default context.
    protected override Assembly? Load(AssemblyName assemblyName) =>
        _resolver.ResolveAssemblyToPath(assemblyName) is { } path ? LoadFromAssemblyPath(path) : null;

    protected override nint LoadUnmanagedDll(string unmanagedDllName) =>
        _resolver.ResolveUnmanagedDllToPath(unmanagedDllName) is { } path ? LoadUnmanagedDllFromPath(path) : 0;

    private static string DependenciesDirectory() =>
        Path.Combine(Path.GetDirectoryName(typeof(EngineLoadContext).Assembly.Location)!, "dependencies");
}
