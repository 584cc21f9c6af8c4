namespace Backup.Engine.Atlassian.Exports;

/// <summary>Ends the reading of an export at its first problem. Never leaves the verifier.</summary>
internal sealed class ExportProblemException(ExportProblem problem) : Exception(problem.Message)
{
    public ExportProblemException(ExportProblemKind kind, long offset, string? entry, string message)
        : this(new ExportProblem(kind, offset, entry, message))
    {
    }

    public ExportProblem Problem => problem;
}
