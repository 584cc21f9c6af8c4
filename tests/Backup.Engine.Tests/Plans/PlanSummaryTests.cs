using Backup.Engine.Plans;

namespace Backup.Engine.Tests.Plans;

public sealed class PlanSummaryTests
{
    [Theory]
    [InlineData(false, "2 jobs, 1 failed; 2 KiB stored in 3 s")]
    [InlineData(true, "2 jobs, 1 failed; 2 KiB to be stored, nothing was done")]
    public void It_says_what_was_stored_and_of_a_plan_what_would_be(bool whatIf, string text)
    {
        var started = new DateTimeOffset(2026, 11, 21, 1, 0, 0, TimeSpan.Zero);
        var job = new BackupJobResult { Name = "a", System = "folders", Destination = "/store", Outcome = Outcome.Completed, Bytes = 2048, Started = started, Duration = TimeSpan.FromSeconds(3), WhatIf = whatIf };
        PlanSummary.Of([job, job with { Name = "b", Outcome = Outcome.Failed, Bytes = 0 }]).ToString().ShouldBe(text);
    }
}
