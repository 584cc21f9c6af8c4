using System.Text;

namespace Backup.Engine.Plans;

/// <summary>
/// Reads plans: JSON with comments, or YAML, of one shape (<c>module/schemas/backup-plan.schema.json</c>). A <c>config.json</c> of Matricula Backup is a plan of
/// one job, <c>folders</c>.
/// </summary>
public static class PlanFile
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Reads a file. Nothing that it names is looked at.</summary>
    /// <exception cref="PlanException">It is no plan: every problem with its line.</exception>
    /// <exception cref="BackupException">It cannot be read.</exception>
    public static BackupPlan Load(string path)
    {
        var file = Path.GetFullPath(path);
        try
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.Read);
            // One byte more than there may be tells that there are more; a pipe has no length.
            var bytes = new byte[PlanLimits.MaxBytes + 1];
            var length = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            return Parse(bytes.AsSpan(0, length), file, Path.GetDirectoryName(file)!);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new BackupException(BackupException.From(exception).Kind, $"The plan '{path}' cannot be read: {exception.Message}", "Give the path of a plan, a .json or .yaml file.", exception);
        }
    }

    /// <summary>Reads a plan that is in memory.</summary>
    /// <param name="content">JSON or YAML in UTF-8.</param>
    /// <param name="file">What it is called; a name that ends with <c>.json</c>, <c>.yaml</c> or <c>.yml</c> says which of the two it is.</param>
    /// <param name="baseDirectory">What its relative paths are relative to.</param>
    /// <exception cref="PlanException">It is no plan: every problem with its line.</exception>
    public static BackupPlan Parse(ReadOnlySpan<byte> content, string file, string baseDirectory)
    {
        var problems = new PlanProblems();
        var root = Tree(content, file, problems);
        problems.ThrowIfAny(file);
        if (root is not PlanObject top)
        {
            problems.Add(root ?? new PlanObject(1, 1, []), "", root is PlanScalar { Kind: PlanScalarKind.Null } ? "it is empty" : "it is no object", "A plan has 'jobs', each with 'name' and 'system'.");
            problems.ThrowIfAny(file);
            return null!;
        }

        if (top["backup"] is not null && top["jobs"] is null)
            return OfConfig(file, baseDirectory);
        new PlanChecker(problems).Check(top, PlanShapes.Plan, "");
        CheckNames(top, problems);
        problems.ThrowIfAny(file);
        var values = new PlanValues(top);
        return new(file, baseDirectory, values, [.. values.Objects("jobs").Select(job => JobOf(job, values, baseDirectory))]);
    }

    private static PlanNode? Tree(ReadOnlySpan<byte> content, string file, PlanProblems problems)
    {
        if (content.Length > PlanLimits.MaxBytes)
        {
            problems.Add(1, 1, "", $"it is larger than {PlanLimits.MaxBytes >> 20} MiB", "A plan is a small file: give the path of one.");
            return null;
        }

        if (content.StartsWith(Utf8Mark))
            content = content[Utf8Mark.Length..];
        string text;
        try
        {
            text = Utf8.GetString(content);
        }
        catch (ArgumentException)
        {
            problems.Add(1, 1, "", "it is not UTF-8", "Save it as UTF-8.");
            return null;
        }

        return IsJson(text, file) ? PlanJson.Read(content, problems) : PlanYaml.Read(text, problems);
    }

    private static ReadOnlySpan<byte> Utf8Mark => [0xEF, 0xBB, 0xBF];

    private static bool IsJson(string text, string file) => Path.GetExtension(file).ToUpperInvariant() switch
    {
        ".JSON" or ".JSONC" => true,
        ".YAML" or ".YML" => false,
        _ => text.AsSpan().TrimStart() is ['{', ..] or ['/', ..],
    };

    private static PlanJob JobOf(PlanObject job, PlanValues plan, string baseDirectory)
    {
        var values = new PlanValues(job, plan);
        return new(PlanSystems.Find(values.Text("system")!)!, values, baseDirectory);
    }

    // What the file says is read, and checked, by the one reader that it has.
    private static BackupPlan OfConfig(string file, string baseDirectory)
    {
        if (!File.Exists(file))
            throw new BackupException(FailureKind.InvalidInput, $"The plan '{file}' is a config.json, and those are read from a file.", "Save it, and give its path.");
        var config = Folders.SyncConfig.Read(file);
        PlanObject Members(params (string Name, string Value)[] members) =>
            new(1, 1, [.. members.Select(member => new PlanMember(member.Name, 1, 1, new PlanScalar(1, 1, PlanScalarKind.Text, member.Value)))]);
        var job = Members(("name", Folders.FolderRun.System), ("system", Folders.FolderRun.System), ("configFile", config.File!));
        return new(file, baseDirectory, new(Members()), [JobOf(job, new(Members()), baseDirectory)]);
    }

    private static void CheckNames(PlanObject plan, PlanProblems problems)
    {
        var seen = new Dictionary<string, int>(StringComparer.OrdinalIgnoreCase);
        var jobs = (plan["jobs"] as PlanArray)?.Items ?? [];
        for (var i = 0; i < jobs.Count; i++)
        {
            if (jobs[i] is PlanObject job && job["name"] is PlanScalar name && !seen.TryAdd(name.Text, name.Line))
                problems.Add(name, PlanPath.Below(PlanPath.Item("jobs", i), "name"), $"is the name of the job in line {seen[name.Text]} already", "Give each job a name of its own; case does not count.");
        }
    }
}
