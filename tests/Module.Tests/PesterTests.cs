using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Text;
using System.Xml.Linq;

namespace Module.Tests;

/// <summary>One test a Pester file, each in a PowerShell of its own.</summary>
public class PesterTests
{
    private const string Missing = "(no Pester)";

    private static readonly TimeSpan _deadline = TimeSpan.FromMinutes(10);
    private static readonly string _directory = Metadata("Directory");
    private static readonly Lazy<string?> _reasonToSkip = new(ReasonToSkip);

    public static TheoryData<string> Files() => _reasonToSkip.Value is null
        ? [.. Directory.GetFiles(_directory, "*.Tests.ps1").Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal)]
        : [Missing];

    [Theory]
    [MemberData(nameof(Files))]
    public void Pester(string file)
    {
        if (_reasonToSkip.Value is { } reason)
        {
            TestContext.Current.SendDiagnosticMessage("*** THE MODULE IS NOT TESTED: {0} ***", reason);
            Assert.Skip($"THE MODULE IS NOT TESTED: {reason}");
        }

        var results = Path.Combine(_directory, "TestResults", Path.ChangeExtension(file, ".xml"));
        Directory.CreateDirectory(Path.GetDirectoryName(results)!);
        // A result of an earlier run must not be taken for this one's.
        File.Delete(results);
        var (code, output) = Run("-File", Path.Combine(_directory, "Invoke-PesterFile.ps1"), "-Path", Path.Combine(_directory, file), "-Output", results);

        File.Exists(results).ShouldBeTrue($"{file} gave no results:\n{output}");
        var cases = XDocument.Load(results).Descendants("test-case").ToList();
        var failed = cases.Where(c => Result(c) is "Failure" or "Error").ToList();
        TestContext.Current.SendDiagnosticMessage(
            "Pester {0}: {1} passed, {2} failed, {3} skipped", file, cases.Count(c => Result(c) is "Success"), failed.Count, cases.Count(c => Result(c) is "Ignored" or "Skipped" or "Inconclusive"));
        var messages = new StringBuilder();
        foreach (var test in failed)
        {
            messages.AppendLine(CultureInfo.InvariantCulture, $"{test.Attribute("name")?.Value}")
                .AppendLine(test.Element("failure")?.Element("message")?.Value)
                .AppendLine(test.Element("failure")?.Element("stack-trace")?.Value);
        }

        failed.ShouldBeEmpty($"{file}:\n{messages}");
        cases.ShouldNotBeEmpty($"{file} has no tests:\n{output}");
        code.ShouldBe(0, output);
    }

    private static string? Result(XElement test) => test.Attribute("result")?.Value;

    private static string? ReasonToSkip()
    {
        try
        {
            var (code, output) = Run("-Command", "if ($PSVersionTable.PSVersion -lt '7.6') { \"pwsh is $($PSVersionTable.PSVersion), 7.6 is needed\" } elseif (-not (Get-Module -ListAvailable Pester | Where-Object Version -ge 5.9)) { 'Pester 5.9 or newer is not installed' }");
            return code == 0 && string.IsNullOrWhiteSpace(output) ? null : output.Trim();
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return "pwsh is not on the PATH";
        }
    }

    private static (int Code, string Output) Run(params string[] arguments)
    {
        var start = new ProcessStartInfo("pwsh", ["-NoProfile", "-NonInteractive", .. arguments])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        start.Environment["NO_COLOR"] = "1";
        start.Environment["OTHER_AWSSDK_CORE"] = Metadata("OtherAwsSdk");
        start.Environment["BACKUP_TESTSERVERS"] = Metadata("TestServers");
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var output = new StringBuilder();
        process.OutputDataReceived += (_, e) => Append(e.Data);
        process.ErrorDataReceived += (_, e) => Append(e.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        if (!process.WaitForExit(_deadline))
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"pwsh {string.Join(' ', arguments)} did not end within {_deadline}:\n{output}");
        }

        process.WaitForExit();
        return (process.ExitCode, output.ToString());

        void Append(string? line)
        {
            lock (output)
                output.AppendLine(line);
        }
    }

    private static string Metadata(string key) => typeof(PesterTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => string.Equals(a.Key, key, StringComparison.Ordinal)).Value!;
}
