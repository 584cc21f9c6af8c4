using System.Management.Automation;
using Backup.Engine;
using Backup.Engine.Maven;

namespace AtlassianBackup.Commands;

/// <summary>How results of package versions are told: each is output, and a failed one is an error as well.</summary>
internal static class MavenOutputs
{
    internal static void Write(MavenOutput output, Action<object?> write, Action<ErrorRecord> error, Action<string> warn)
    {
        write(output);
        switch (output)
        {
            case PackageVersionResult { Outcome: Outcome.Failed } version:
                error(ErrorMapping.ToRecord(version.Kind ?? FailureKind.Unknown, version.Reason ?? $"{version.Package}:{version.Version} failed.", version.Advice, $"{version.Package}:{version.Version}"));
                break;
            case PackageVersionResult { Outcome: Outcome.Deferred } version:
                warn($"{version.Package}:{version.Version}: {version.Reason} {version.Advice}".TrimEnd());
                break;
        }
    }
}
