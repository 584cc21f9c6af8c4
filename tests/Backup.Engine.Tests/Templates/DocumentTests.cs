using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Backup.Engine.Tests.Fixtures;

namespace Backup.Engine.Tests.Templates;

/// <summary>The SSM documents: what their parameters let through, and what a shell makes of it.</summary>
public sealed partial class DocumentTests
{
    // Each would be a command, or end a quote, or be replaced by Systems Manager itself.
    private static readonly string[] _hostile =
    [
        "'; touch /tmp/owned; '", "$(id)", "`id`", "a\nb", "a\r\nb", "${HOME}", "{\"a\":\"'\"}", "{\"a\":\"\u2019; calc; \u2018\"}", "{\"a\":\"{{ssm:/secret}}\"}", "{{ssm:/secret}}", "{\"a\":\"$env:X\"}", "\"; id; \"\0", "a\u2028b",
    ];

    public static TheoryData<string, string> Parameters => [.. from document in Template.Documents from parameter in Template.ReadDocument(document)["parameters"]!.AsObject() where parameter.Value!["allowedPattern"] is not null select (document, parameter.Key)];

    public static TheoryData<string> CommandDocuments => [.. Template.Documents.Where(d => (string)Template.ReadDocument(d)["schemaVersion"]! == "2.2")];

    [Theory]
    [MemberData(nameof(Parameters))]
    public void No_parameter_lets_a_command_through(string document, string parameter)
    {
        var pattern = Pattern(document, parameter);
        foreach (var value in _hostile)
            pattern.IsMatch(value).ShouldBeFalse(value);
        if ((string?)Template.ReadDocument(document)["parameters"]![parameter]!["default"] is { } given)
            pattern.IsMatch(given).ShouldBeTrue();
    }

    [Theory]
    [MemberData(nameof(CommandDocuments))]
    public void Every_parameter_has_a_pattern_and_stands_between_single_quotes(string name)
    {
        var document = Template.ReadDocument(name);
        document["parameters"]!.AsObject().ShouldAllBe(p => p.Value!["allowedPattern"] != null);
        foreach (var step in document["mainSteps"]!.AsArray())
        {
            var script = (string?)step!["inputs"]!["runCommand"]?[0] ?? "";
            Reference().Count(script).ShouldBe(Quoted().Count(script), name);
        }
    }

    [Theory]
    [InlineData("""{"Path":"/srv/images","Destination":"s3://acme-backup/images"}""")]
    [InlineData("""{"Path":["C:\\Data","D:\\More data"],"Exclude":["*.tmp","**/cache/**"],"MaxDeletePercent":10.5,"Force":true}""")]
    [InlineData("""{"Token":"secret:prod/github#TOKEN_GITHUB"}""")]
    [InlineData("""{"Name":"it\u0027s","Tag":{"a":{"b":1}}}""")]
    public void Arguments_that_are_needed_are_let_through(string arguments)
    {
        Pattern("AtlassianBackup-RunCmdlet", "Arguments").IsMatch(arguments).ShouldBeTrue();
        JsonNode.Parse(arguments).ShouldNotBeNull();
    }

    [Fact]
    public async Task Whatever_is_let_through_reaches_the_cmdlet_as_it_is()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("There is no sh.");
            return;
        }

        using var directory = new TemporaryDirectory();
        var program = directory.Combine("pwsh");
        await File.WriteAllTextAsync(program, "#!/bin/sh\nprintf '%s|%s' \"$BACKUP_CMDLET\" \"$BACKUP_ARGUMENTS\"\n", TestContext.Current.CancellationToken);
        File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        var pattern = Pattern("AtlassianBackup-RunCmdlet", "Arguments");
        // Every character that is let through, in an order that no one chose.
        var allowed = Enumerable.Range(1, 0x2FFF).Select(c => (char)c).Where(c => pattern.IsMatch(c.ToString())).ToArray();
        allowed.Length.ShouldBeGreaterThan(80);
        allowed.ShouldAllBe(c => c < 127);
        var random = new Random(7);
        for (var i = 0; i < 25; i++)
        {
            random.Shuffle(allowed);
            var value = "{" + new string(allowed).Replace("{", "", StringComparison.Ordinal);
            pattern.IsMatch(value).ShouldBeTrue();
            var script = Script("AtlassianBackup-RunCmdlet", "RunOnLinux", ("Cmdlet", "Get-BackupRun"), ("Arguments", value), ("ExecutionTimeoutSeconds", "60"));
            var result = await PeerProgram.RunAsync("sh", ["-c", script], new Dictionary<string, string?>(StringComparer.Ordinal) { ["PATH"] = directory.Path + ":/usr/bin:/bin" });
            result.Succeeded().ShouldBe("Get-BackupRun|" + value);
        }
    }

    [Theory]
    [MemberData(nameof(CommandDocuments))]
    public async Task Scripts_for_Linux_are_scripts(string name)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "There is no sh.");
        foreach (var step in Template.ReadDocument(name)["mainSteps"]!.AsArray().Where(s => (string)s!["action"]! == "aws:runShellScript"))
            (await PeerProgram.RunAsync("sh", ["-n", "-c", (string)step!["inputs"]!["runCommand"]![0]!])).Succeeded();
    }

    [Fact]
    public void Whatever_happens_after_the_start_the_instance_is_stopped()
    {
        var steps = Template.ReadDocument("AtlassianBackup-StartRunStop")["mainSteps"]!.AsArray().ToDictionary(s => (string)s!["name"]!, s => s!.AsObject(), StringComparer.Ordinal);
        string[] between = ["Start", "WaitForAgent", "Run"];
        foreach (var name in between)
        {
            ((string)steps[name]["onFailure"]!).ShouldBe("step:Stop");
            ((string)steps[name]["onCancel"]!).ShouldBe("step:Stop");
            // Without it the execution would be called a success where this step failed.
            ((bool)steps[name]["isCritical"]!).ShouldBeTrue();
            steps[name]["timeoutSeconds"].ShouldNotBeNull();
        }

        between.Select(name => (string)steps[name]["nextStep"]!).ShouldBe(["WaitForAgent", "Run", "Stop"]);
        steps["Stop"].ShouldSatisfyAllConditions(
            s => ((string)s["inputs"]!["DesiredState"]!).ShouldBe("stopped"),
            s => ((bool)s["isEnd"]!).ShouldBeTrue(),
            s => ((long)s["maxAttempts"]!).ShouldBeGreaterThan(1));
        // Found running, left running.
        steps["RunAndLeave"].ShouldSatisfyAllConditions(s => ((bool)s["isEnd"]!).ShouldBeTrue(), s => ((string)s["onFailure"]!).ShouldBe("Abort"));
        steps["WasRunning"]["inputs"]!["Choices"]![0]!.ToJsonString().ShouldContain("\"running\"");
        ((string)steps["WasRunning"]["inputs"]!["Default"]!).ShouldBe("Start");
    }

    private static Regex Pattern(string document, string parameter) =>
        new((string)Template.ReadDocument(document)["parameters"]![parameter]!["allowedPattern"]!, RegexOptions.None, TimeSpan.FromSeconds(1));

    private static string Script(string document, string step, params (string Name, string Value)[] parameters)
    {
        var script = (string)Template.ReadDocument(document)["mainSteps"]!.AsArray().Single(s => (string)s!["name"]! == step)!["inputs"]!["runCommand"]![0]!;
        return parameters.Aggregate(script, (text, parameter) => text.Replace($"{{{{ {parameter.Name} }}}}", parameter.Value, StringComparison.Ordinal));
    }

    [GeneratedRegex(@"\{\{", RegexOptions.None, 1000)]
    private static partial Regex Reference();

    [GeneratedRegex(@"'\{\{ \w+ \}\}'", RegexOptions.None, 1000)]
    private static partial Regex Quoted();
}
