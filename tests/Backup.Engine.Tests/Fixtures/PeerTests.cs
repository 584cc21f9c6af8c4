namespace Backup.Engine.Tests.Fixtures;

/// <summary>The peers themselves: what leans on them should not be the first to find out that they are broken.</summary>
public sealed class PeerTests(MotoServer moto)
{
    [Fact]
    public async Task Moto_serves_S3_to_the_AWS_command_line()
    {
        var endpoint = await moto.EndpointAsync();
        var environment = new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["AWS_ACCESS_KEY_ID"] = "test",
            ["AWS_SECRET_ACCESS_KEY"] = "test",
            ["AWS_DEFAULT_REGION"] = "us-east-1",
        };
        var bucket = $"peer-{Guid.NewGuid():N}";
        (await PeerProgram.RunAsync("aws", ["--endpoint-url", endpoint.ToString(), "s3", "mb", $"s3://{bucket}"], environment)).Succeeded();
        (await PeerProgram.RunAsync("aws", ["--endpoint-url", endpoint.ToString(), "s3", "ls"], environment)).Succeeded().ShouldContain(bucket);
    }

    [Fact]
    public async Task A_program_that_hangs_is_ended()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "There is no sleep program.");
        await Should.ThrowAsync<TimeoutException>(() => PeerProgram.RunAsync("sleep", ["60"], deadline: TimeSpan.FromMilliseconds(200)));
    }

    [Fact]
    public async Task Output_error_and_exit_code_are_told()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "There is no sh.");
        var result = await PeerProgram.RunAsync("sh", ["-c", "echo out; echo $WORD >&2; exit 3"], new Dictionary<string, string?>(StringComparer.Ordinal) { ["WORD"] = "err" });
        result.ShouldBe(new PeerResult(3, "out\n", "err\n"));
    }
}
