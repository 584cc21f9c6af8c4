namespace Backup.Engine.Plans;

/// <summary>Something in a plan file that cannot be used.</summary>
/// <param name="Line">The line, from 1.</param>
/// <param name="Column">The column, from 1.</param>
/// <param name="Path">Where it is in the plan, such as <c>jobs[2].site</c>; empty for the whole.</param>
/// <param name="Message">What is wrong, without a value that might be a secret.</param>
/// <param name="HowToMend">What to do.</param>
public sealed record PlanProblem(int Line, int Column, string Path, string Message, string HowToMend)
{
    /// <inheritdoc/>
    public override string ToString() => $"line {Line}, column {Column}{(Path.Length > 0 ? $", {Path}" : "")}: {Message}";
}

/// <summary>A plan file that cannot be used: every problem it has, the first in the message.</summary>
public sealed class PlanException : BackupException
{
    private const int Named = 10;

    internal PlanException(string file, IReadOnlyList<PlanProblem> problems)
        : base(
            FailureKind.InvalidInput,
            problems.Count == 1 ? $"The plan '{file}' cannot be used: {problems[0]}." : $"The plan '{file}' cannot be used:\n{string.Join('\n', problems.Take(Named))}{(problems.Count > Named ? $"\nand {problems.Count - Named} more." : "")}",
            problems[0].HowToMend) =>
        Problems = problems;

    /// <summary>All of them, in the order of the file.</summary>
    public IReadOnlyList<PlanProblem> Problems { get; }
}

/// <summary>The problems that are found while a plan is read.</summary>
internal sealed class PlanProblems
{
    private const int Max = 50;

    private readonly List<PlanProblem> _found = [];

    public bool Any => _found.Count > 0;

    /// <summary>Whether there are so many that further ones are not worth looking for.</summary>
    public bool IsFull => _found.Count >= Max;

    public void Add(PlanNode at, string path, string message, string howToMend) => Add(at.Line, at.Column, path, message, howToMend);

    public void Add(int line, int column, string path, string message, string howToMend)
    {
        if (_found.Count < Max)
            _found.Add(new(line, column, path, message, howToMend));
    }

    public void AddDuplicate(int line, int column, string path) => Add(line, column, path, "is there twice", "Keep one of them: it cannot be told which is meant.");

    /// <summary>Ends the reading where anything was found.</summary>
    /// <exception cref="PlanException">There are any.</exception>
    public void ThrowIfAny(string file)
    {
        if (Any)
            throw new PlanException(file, [.. _found.OrderBy(problem => problem.Line).ThenBy(problem => problem.Column)]);
    }
}
