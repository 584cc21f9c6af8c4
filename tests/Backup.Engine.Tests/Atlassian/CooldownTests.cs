using Backup.Engine.Atlassian;

namespace Backup.Engine.Tests.Atlassian;

public sealed class CooldownTests
{
    [Theory]
    // Confluence, 406 (bitprocessor/atlassian-cloud-backup) and 500 (2016).
    [InlineData("Backup frequency is limited. You can not make another backup right now. Approximate time till next allowed backup: 14h 19m", 14 * 60 + 19)]
    // Jira, 412.
    [InlineData("""{"error":"Backup frequency is limited. You cannot make another backup right now. Approximate time until next allowed backup: 26h 58m"}""", 26 * 60 + 58)]
    // The UI's text.
    [InlineData("Backup frequency is limited. Approximate time till next allowed backup: 12 hours and 4 minutes", 12 * 60 + 4)]
    [InlineData("You cannot make another backup within 48 hours. Approximate time until next allowed backup: 1 day 2 hrs", 26 * 60)]
    [InlineData("backup frequency is limited. approximate time till next allowed backup: 59m", 59)]
    [InlineData("Backup frequency is limited. You can not make another backup right now.", null)]
    [InlineData("Backup frequency is limited. Approximate time till next allowed backup: 999999999999h", null)]
    public void Each_wording_is_understood(string text, int? minutes)
    {
        var cooldown = Cooldown.Parse(text).ShouldNotBeNull();
        cooldown.Remaining.ShouldBe(minutes is { } number ? TimeSpan.FromMinutes(number) : null);
    }

    [Theory]
    [InlineData("")]
    [InlineData("""{"error":"This feature is only accessible from the UI."}""")]
    [InlineData("Internal server error 500, try again in 5 minutes")]
    [InlineData("""{"taskId":"10123"}""")]
    public void What_is_no_cooldown_is_not_taken_for_one(string text) => Cooldown.Parse(text).ShouldBeNull();
}
