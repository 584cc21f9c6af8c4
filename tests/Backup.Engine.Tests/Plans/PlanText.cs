using System.Text;
using Backup.Engine.Plans;

namespace Backup.Engine.Tests.Plans;

/// <summary>Plans as text.</summary>
internal static class PlanText
{
    /// <summary>Reads YAML, or JSON where it begins with a brace.</summary>
    public static BackupPlan Read(string text, string? baseDirectory = null) =>
        PlanFile.Parse(Encoding.UTF8.GetBytes(text), text.TrimStart().StartsWith('{') ? "plan.json" : "plan.yaml", baseDirectory ?? Path.GetTempPath());

    /// <summary>The problems that a text has.</summary>
    public static IReadOnlyList<PlanProblem> ProblemsOf(string text) => Should.Throw<PlanException>(() => Read(text)).Problems;
}
