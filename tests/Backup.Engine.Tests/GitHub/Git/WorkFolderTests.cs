using Backup.Engine.GitHub.Git;
using Backup.Engine.Tests.Fixtures;

namespace Backup.Engine.Tests.GitHub.Git;

/// <summary>The folder of a run, and what becomes of one whose run was killed.</summary>
public sealed class WorkFolderTests
{
    [Fact]
    public void What_a_killed_run_left_goes_and_what_another_run_holds_stays()
    {
        using var root = new TemporaryDirectory();
        var left = Directory.CreateDirectory(root.Combine("AtlassianBackup-github-left/1.git")).Parent!.FullName;
        File.WriteAllText(Path.Combine(left, "run.lock"), "");
        var foreign = Directory.CreateDirectory(root.Combine("AtlassianBackup-github-foreign")).FullName;
        using var held = WorkFolder.Create(root.Path);

        using (var mine = WorkFolder.Create(root.Path))
        {
            Directory.Exists(mine.Path).ShouldBeTrue();
            if (!OperatingSystem.IsWindows())
                (File.GetUnixFileMode(mine.Path) & (UnixFileMode.GroupRead | UnixFileMode.OtherRead | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute)).ShouldBe(UnixFileMode.None);
        }

        Directory.Exists(left).ShouldBeFalse();
        Directory.Exists(held.Path).ShouldBeTrue();
        Directory.Exists(foreign).ShouldBeTrue();
        Directory.GetDirectories(root.Path).Length.ShouldBe(2);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void What_goes_with_its_use_waits_for_no_disk_and_what_is_kept_does(bool durable)
    {
        var environment = new Dictionary<string, string?>(StringComparer.Ordinal);

        GitEnvironment.Fill(environment, new() { Git = "git", Arguments = ["index-pack"], Directory = Path.GetTempPath(), Durable = durable });

        environment.Values.Contains("core.fsync", StringComparer.Ordinal).ShouldBe(!durable);
    }
}
