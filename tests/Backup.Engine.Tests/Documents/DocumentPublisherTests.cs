using Backup.Engine.Aws.Ssm;
using Backup.Engine.Documents;
using Backup.Engine.Tests.Aws;
using Backup.Engine.Tests.Fixtures;
using Backup.Engine.Tests.Templates;

namespace Backup.Engine.Tests.Documents;

/// <summary>Documents into an account, and into it again, against moto_server.</summary>
[Collection(AwsEnvironment.Collection)]
public sealed class DocumentPublisherTests(MotoServer moto) : IDisposable
{
    private readonly AwsEnvironment _environment = new();
    private readonly TemporaryDirectory _directory = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _environment.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public async Task What_ships_is_created_once_and_then_unchanged()
    {
        var files = Template.Documents.Select(name => Path.Combine(Template.Root, "module", "documents", name + ".yaml")).ToList();
        files.Count.ShouldBe(4);
        using var client = await ClientAsync();
        foreach (var name in Template.Documents)
            await DeleteAsync(name);

        (await PublishAsync(files)).ShouldAllBe(d => d.Outcome == Outcome.Completed && d.Version == "1");
        var documents = new List<DocumentDescription>();
        foreach (var name in Template.Documents)
            documents.Add((await client.DescribeDocumentAsync(new() { Name = name }, Stop)).Document!);
        documents.Select(d => d.DocumentType).ShouldBe(["Command", "Command", "Command", "Automation"]);
        documents.ShouldAllBe(d => d.DocumentFormat == "YAML" && d.VersionName!.StartsWith("sha256-"));
        documents[1].Parameters!.Select(p => p.Name).ShouldBe(["Cmdlet", "Arguments", "ExecutionTimeoutSeconds"]);

        (await PublishAsync(files)).ShouldAllBe(d => d.Outcome == Outcome.Unchanged && d.Version == "1");
    }

    [Fact]
    public async Task Another_content_is_another_version_and_the_former_one_comes_back_without_a_third()
    {
        using var client = await ClientAsync();
        var file = Write("echo one");
        (await PublishAsync([file])).Single().ShouldSatisfyAllConditions(d => d.Outcome.ShouldBe(Outcome.Completed), d => d.Version.ShouldBe("1"));
        Write("echo two", file);
        (await PublishAsync([file])).Single().ShouldSatisfyAllConditions(d => d.Outcome.ShouldBe(Outcome.Completed), d => d.Version.ShouldBe("2"));
        (await DefaultAsync(client, file)).ShouldBe("2");

        Write("echo one", file);
        (await PublishAsync([file])).Single().ShouldSatisfyAllConditions(d => d.Outcome.ShouldBe(Outcome.Adopted), d => d.Version.ShouldBe("1"));
        (await DefaultAsync(client, file)).ShouldBe("1");
        (await client.DescribeDocumentAsync(new() { Name = Path.GetFileNameWithoutExtension(file), DocumentVersion = "$LATEST" }, Stop)).Document!.DocumentVersion.ShouldBe("2");
    }

    [Fact]
    public async Task Lines_that_end_as_Windows_ends_them_are_the_same_content()
    {
        using var client = await ClientAsync();
        var file = Write("echo one");
        await PublishAsync([file]);
        await File.WriteAllTextAsync(file, (await File.ReadAllTextAsync(file, Stop)).ReplaceLineEndings("\r\n"), Stop);
        (await PublishAsync([file])).Single().Outcome.ShouldBe(Outcome.Unchanged);
    }

    [Fact]
    public async Task WhatIf_only_looks()
    {
        using var client = await ClientAsync();
        var file = Write("echo one");
        (await PublishAsync([file], whatIf: true)).Single().ShouldSatisfyAllConditions(d => d.WhatIf.ShouldBeTrue(), d => d.Reason.ShouldBe("It would be created."));
        (await Should.ThrowAsync<BackupException>(() => DefaultAsync(client, file))).Message.ShouldContain("InvalidDocument");

        await PublishAsync([file]);
        Write("echo two", file);
        (await PublishAsync([file], new(StringComparer.Ordinal) { ["k"] = "v" }, whatIf: true)).Single().Reason!.ShouldContain("would follow version 1");
        Write("echo one", file);
        (await PublishAsync([file], whatIf: true)).Single().Outcome.ShouldBe(Outcome.Unchanged);
        (await client.DescribeDocumentAsync(new() { Name = Path.GetFileNameWithoutExtension(file) }, Stop)).Document!.LatestVersion.ShouldBe("1");
        (await TagsAsync(client, file)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Tags_are_set_at_once_or_later_and_others_stay()
    {
        using var client = await ClientAsync();
        var file = Write("echo one");
        await PublishAsync([file], new(StringComparer.Ordinal) { ["team"] = "a" });
        (await PublishAsync([file], new(StringComparer.Ordinal) { ["team"] = "a" })).Single().Outcome.ShouldBe(Outcome.Unchanged);
        (await PublishAsync([file], new(StringComparer.Ordinal) { ["cost"] = "7" })).Single().ShouldSatisfyAllConditions(d => d.Outcome.ShouldBe(Outcome.Completed), d => d.Reason!.ShouldContain("cost"));
        (await TagsAsync(client, file)).ShouldBe(["cost=7", "team=a"]);
    }

    [Fact]
    public async Task What_someone_else_has_put_there_is_taken_over()
    {
        using var client = await ClientAsync();
        var file = Write("echo one");
        await client.CreateDocumentAsync(new() { Name = Path.GetFileNameWithoutExtension(file), Content = "{\"schemaVersion\":\"2.2\",\"mainSteps\":[]}", DocumentType = "Command", DocumentFormat = "JSON" }, Stop);
        (await PublishAsync([file])).Single().ShouldSatisfyAllConditions(d => d.Outcome.ShouldBe(Outcome.Completed), d => d.Version.ShouldBe("2"));
        (await DefaultAsync(client, file)).ShouldBe("2");
    }

    [Fact]
    public async Task One_that_cannot_be_published_does_not_keep_the_others()
    {
        using var client = await ClientAsync();
        var (command, text, big, missing) = (Write("echo one"), Path.Combine(_directory.Path, "notes.txt"), Path.Combine(_directory.Path, "big.yaml"), Path.Combine(_directory.Path, "missing.yaml"));
        await File.WriteAllTextAsync(text, "x", Stop);
        await File.WriteAllTextAsync(big, new string('#', 70_000), Stop);
        var other = Write("echo other");
        await client.CreateDocumentAsync(new() { Name = Path.GetFileNameWithoutExtension(other), Content = "schemaVersion: '0.3'\nmainSteps: []\n", DocumentType = "Automation", DocumentFormat = "YAML" }, Stop);

        var results = await PublishAsync([text, big, missing, other, command]);
        results.Select(r => r.Outcome).ShouldBe([Outcome.Failed, Outcome.Failed, Outcome.Failed, Outcome.Failed, Outcome.Completed]);
        results.Take(4).Select(r => r.Kind).ShouldBe([FailureKind.InvalidInput, FailureKind.InvalidInput, FailureKind.NotFound, FailureKind.AlreadyExists]);
    }

    private async Task<SsmClient> ClientAsync()
    {
        _environment.Set("AWS_ENDPOINT_URL", (await moto.EndpointAsync()).AbsoluteUri);
        return new(_environment.Options());
    }

    private async Task DeleteAsync(string name)
    {
        var environment = new Dictionary<string, string?>(StringComparer.Ordinal) { ["AWS_ACCESS_KEY_ID"] = "test", ["AWS_SECRET_ACCESS_KEY"] = "test", ["AWS_DEFAULT_REGION"] = "eu-central-1" };
        await PeerProgram.RunAsync("aws", ["--endpoint-url", (await moto.EndpointAsync()).AbsoluteUri, "ssm", "delete-document", "--name", name], environment);
    }

    private async Task<List<PublishedDocument>> PublishAsync(IReadOnlyList<string> files, Dictionary<string, string>? tags = null, bool whatIf = false)
    {
        var results = new List<PublishedDocument>();
        await foreach (var result in DocumentPublisher.RunAsync(new() { Files = files, Tags = tags ?? [], Aws = _environment.Options().Aws, WhatIf = whatIf }, Stop))
            results.Add(result);
        return results;
    }

    private string Write(string command, string? file = null)
    {
        file ??= Path.Combine(_directory.Path, $"Test-{Guid.NewGuid():N}.yaml");
        File.WriteAllText(file, $"schemaVersion: '2.2'\ndescription: d\nmainSteps:\n  - action: aws:runShellScript\n    name: run\n    inputs:\n      runCommand: ['{command}']\n");
        return file;
    }

    private static async Task<string> DefaultAsync(SsmClient client, string file) =>
        (await client.DescribeDocumentAsync(new() { Name = Path.GetFileNameWithoutExtension(file) }, Stop)).Document!.DefaultVersion!;

    private static async Task<List<string>> TagsAsync(SsmClient client, string file) =>
        [.. ((await client.ListTagsForResourceAsync(new() { ResourceType = "Document", ResourceId = Path.GetFileNameWithoutExtension(file) }, Stop)).TagList ?? []).Select(t => $"{t.Key}={t.Value}").Order(StringComparer.Ordinal)];
}
