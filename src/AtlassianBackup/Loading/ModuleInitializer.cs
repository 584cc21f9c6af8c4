using System.Management.Automation;
using System.Reflection;
using System.Runtime.Loader;

namespace AtlassianBackup.Loading;

/// <summary>
/// Runs at Import-Module and Remove-Module. It only hooks the resolution of the engine: loading it waits for the first cmdlet,
/// so that importing the module stays fast.
/// </summary>
public sealed class ModuleInitializer : IModuleAssemblyInitializer, IModuleAssemblyCleanup
{
    /// <summary>Hooks the resolution of the engine.</summary>
    public void OnImport()
    {
        // A forced import runs this twice without a removal in between.
        AssemblyLoadContext.Default.Resolving -= ResolveEngine;
        AssemblyLoadContext.Default.Resolving += ResolveEngine;
    }

    /// <summary>Unhooks it. The engine stays loaded, and a later import finds the same one.</summary>
    public void OnRemove(PSModuleInfo psModuleInfo) => AssemblyLoadContext.Default.Resolving -= ResolveEngine;

    // For the engine's name alone: answering for any dependency would hand our versions to other modules.
    private static Assembly? ResolveEngine(AssemblyLoadContext context, AssemblyName name) =>
        string.Equals(name.Name, EngineLoadContext.EngineName, StringComparison.Ordinal)
            ? EngineLoadContext.Instance.LoadEngine()
            : null;
}
