using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;
using Backup.Engine.Plans;
using Backup.Engine.Tests.Fixtures;
using Backup.Engine.Tests.Templates;

namespace Backup.Engine.Tests.Plans;

public sealed partial class PlanFileTests
{
    private const string Yaml = """
        destination: s3://acme/main
        throttle: 2
        notifications:
          slack: { webhookUri: 'ssm:/backup/slack', when: always }
        jobs:
          - name: scans
            system: folders
            path: [/srv/a, "/srv/b # c"]
            maxDeletePercent: 12.5
            followSymlink: true
          - name: machines
            system: ec2
            tagKey: backup
            tagValue: ''
            backupVaultName: vault
            iamRoleArn: arn
            executionTimeout: 90m
            preScript: |
              sync
              fsfreeze -f /data
            recoveryPointTag: { team: platform, no: "no" }
        """;

    private const string Json = """
        {
          // Comments, and a comma too many.
          "destination": "s3://acme/main", "throttle": 2,
          "notifications": { "slack": { "webhookUri": "ssm:/backup/slack", "when": "always" } },
          "jobs": [
            { "name": "scans", "system": "folders", "path": ["/srv/a", "/srv/b # c"], "maxDeletePercent": 12.5, "followSymlink": true },
            { "name": "machines", "system": "ec2", "tagKey": "backup", "tagValue": "", "backupVaultName": "vault", "iamRoleArn": "arn", "executionTimeout": "90m",
              "preScript": "sync\nfsfreeze -f /data\n", "recoveryPointTag": { "team": "platform", "no": "no" } },
          ],
        }
        """;

    [Fact]
    public void Yaml_and_json_say_the_same()
    {
        var (yaml, json) = (PlanText.Read(Yaml), PlanText.Read(Json));
        yaml.Throttle.ShouldBe(2);
        yaml.Jobs.Select(job => (job.Name, job.System, job.Destination)).ShouldBe(json.Jobs.Select(job => (job.Name, job.System, job.Destination)));
        foreach (var plan in new[] { yaml, json })
        {
            var (scans, machines) = (plan.Jobs[0].Values, plan.Jobs[1].Values);
            scans.Texts("path").ShouldBe(["/srv/a", "/srv/b # c"]);
            scans.Number("maxDeletePercent").ShouldBe(12.5);
            scans.Flag("followSymlink").ShouldBe(true);
            machines.Text("tagValue").ShouldBe("");
            machines.Span("executionTimeout").ShouldBe(TimeSpan.FromMinutes(90));
            machines.Text("preScript").ShouldBe("sync\nfsfreeze -f /data\n");
            machines.Map("recoveryPointTag")!["no"].ShouldBe(["no"]);
            plan.Values.Object("notifications")!.Object("slack")!.Secret("webhookUri")!.Text.ShouldBe("ssm:/backup/slack");
        }
    }

    [Theory]
    [InlineData("docs/cmdlets/Invoke-BackupPlan.md", 6)]
    [InlineData("docs/operations.md", 2)]
    [InlineData("README.md", 4)]
    public void The_examples_of_the_pages_are_plans(string page, int jobs)
    {
        var text = File.ReadAllText(Path.Combine(Template.Root, page));
        var plan = PlanText.Read(Examples().Matches(text).Select(match => match.Groups["plan"].Value).Single(plan => plan.Contains("jobs:", StringComparison.Ordinal)));
        plan.Jobs.Count.ShouldBe(jobs);
        plan.Jobs.ShouldAllBe(job => job.Destination != null);
    }

    [Fact]
    public void The_config_of_the_sample_is_a_plan_as_it_is()
    {
        using var folder = new TemporaryDirectory();
        var file = folder.Combine("config.json");
        // The shape of https://github.com/icaruseu/matricula-backup: folder-sync.md, section 3.
        File.WriteAllText(file, """
            { "backup": { "folders": ["/srv/images"], "roots": ["/srv/archives"] },
              "notification": { "webhook": "https://example.com/hook" },
              "aws": { "access_key": "AKIA", "secret_access_key": "s3cret", "region": "eu-central-1" } }
            """);
        var plan = PlanFile.Load(file);
        var job = plan.Jobs.ShouldHaveSingleItem();
        (job.Name, job.System, job.Destination).ShouldBe(("folders", "folders", null));
        var options = FoldersPlan.OptionsOf(new() { Job = job });
        options.Config!.Backup.Folders.ShouldBe(["/srv/images"]);
        options.Config.Aws!.HasKeys.ShouldBeTrue();

        File.WriteAllText(file, """{ "backup": { "folders": ["/srv/images"], "foldres": [] } }""");
        Should.Throw<BackupException>(() => PlanFile.Load(file)).Message.ShouldContain("foldres");
    }

    [Theory]
    [InlineData("jobs:\n  - {name: a, system: folders, path: /a, pth: /b}", 2, "jobs[0].pth", "is not known here (is 'path' meant?)")]
    [InlineData("jobs:\n  - {name: a, system: folders}", 2, "jobs[0]", "none of 'path', 'root' and 'configFile'")]
    [InlineData("jobs:\n  - {name: a, system: jira, site: s, user: u}", 2, "jobs[0]", "'apiToken' is missing")]
    [InlineData("jobs:\n  - {name: a, system: jara, site: s}", 2, "jobs[0].system", "is not one of folders, confluence, jira")]
    [InlineData("jobs:\n  - {name: a, system: folders, path: /a}\n  - {name: A, system: folders, path: /b}", 3, "jobs[1].name", "is the name of the job in line 2 already")]
    [InlineData("jobs:\n  - {name: 'a;rm', system: folders, path: /a}", 2, "jobs[0].name", "is not a name of letters")]
    [InlineData("jobs:\n  - {name: a, system: maven, domain: d, repository: r, domainOwner: 012345678901}", 2, "jobs[0].domainOwner", "is not the 12 digits")]
    [InlineData("jobs:\n  - {name: a, system: maven, domain: d, repository: r, keep: 7d}", 2, "jobs[0].keep", "is not known here")]
    [InlineData("jobs:\n  - {name: a, system: github, token: env:T, appId: 1, installationId: 2, privateKey: file:k}", 2, "jobs[0]", "'token' and 'appId' are both there")]
    [InlineData("jobs:\n  - {name: a, system: github, appId: 1}", 2, "jobs[0]", "'appId' is there without 'installationId'")]
    [InlineData("jobs:\n  - {name: a, system: folders, path: /a, path: /b}", 2, "jobs[0].path", "is there twice")]
    [InlineData("{ \"jobs\": [],\n \"jobs\": [] }", 2, "jobs", "is there twice")]
    [InlineData("jobs: []", 1, "jobs", "is an array, and not an array of one object or more")]
    [InlineData("jobs:", 1, "jobs", "is empty, and not")]
    [InlineData("keep: 7d4d\njobs:\n  - {name: a, system: folders, path: /a}", 1, "keep", "is not a retention")]
    [InlineData("version: 2\njobs:\n  - {name: a, system: folders, path: /a}", 1, "version", "is not 1")]
    [InlineData("jobs:\n  - {name: a, system: folders, path: /a, followSymlink: yes}", 2, "jobs[0].followSymlink", "is not true or false")]
    [InlineData("jobs:\n  - {name: a, system: jira, site: s, user: u, apiToken: env:T, timeout: 3600}", 2, "jobs[0].timeout", "is not a span of time")]
    [InlineData("{ \"jobs\": [ { \"name\": \"a\" \"system\": \"folders\" } ] }", 1, "", "here it is no JSON")]
    [InlineData("jobs:\n\t- name: a", 2, "", "here it is no YAML")]
    [InlineData("- a\n- b", 1, "", "it is no object")]
    [InlineData("", 1, "", "it is empty")]
    [InlineData("jobs: &a []\nx: *a", 1, "", "anchors (&) and aliases (*) are not read")]
    [InlineData("jobs: !!python/object:os.system []", 1, "", "tags (!) are not read")]
    [InlineData("jobs:\n  - {name: a, system: folders, path: /a}\n---\njobs: []", 3, "", "a second document")]
    [InlineData("{ \"jobs\": [] } trailing", 1, "", "here it is no JSON")]
    public void What_is_wrong_is_told_with_its_place(string text, int line, string path, string message)
    {
        var problem = PlanText.ProblemsOf(text)[0];
        problem.Line.ShouldBe(line);
        problem.Path.ShouldBe(path);
        problem.Message.ShouldContain(message);
        problem.HowToMend.Length.ShouldBeGreaterThan(5);
    }

    [Theory]
    [InlineData("jobs:\n  - {name: a, system: jira, site: s, user: u, apiToken: hunter2-secret}")]
    [InlineData("jobs:\n  - {name: a, system: github, token: hunter2-secret, organization: o}")]
    [InlineData("notifications: {slack: {webhookUri: 'https://hooks.slack.com/hunter2-secret'}}\njobs:\n  - {name: a, system: folders, path: /a}")]
    [InlineData("jobs:\n  - {name: a, system: jira, site: s, user: u, apiToken: 'env:X\nhunter2-secret'}")]
    [InlineData("jobs:\n  - {name: a, system: jira, site: s, user: u, apiToken: {value: hunter2-secret}}")]
    [InlineData("{\"jobs\": [{\"name\": \"a\", \"system\": \"jira\", \"apiToken\": hunter2-secret}]}")]
    [InlineData("{\"jobs\": [{\"name\": \"a\", \"system\": \"jira\", \"apiToken\": \"hunter2-secret}]}")]
    [InlineData("jobs:\n  - {name: a, system: hunter2-secret, apiToken: \"hunter2-secret}")]
    public void A_secret_in_a_plan_is_refused_and_not_repeated(string text)
    {
        var failure = Should.Throw<PlanException>(() => PlanText.Read(text));
        failure.ToString().ShouldNotContain("hunter2");
        failure.Problems.ShouldAllBe(problem => !$"{problem} {problem.HowToMend}".Contains("hunter2", StringComparison.Ordinal));
    }

    [Fact]
    public void A_text_that_ends_with_a_line_break_is_no_retention()
    {
        PlanText.ProblemsOf("{\"keep\": \"7d\\n\", \"jobs\": [{\"name\": \"a\", \"system\": \"folders\", \"path\": \"/a\"}]}")[0].Path.ShouldBe("keep");
        PlanText.ProblemsOf("{\"jobs\": [{\"name\": \"a\\n\", \"system\": \"folders\", \"path\": \"/a\"}]}")[0].Path.ShouldBe("jobs[0].name");
    }

    [Fact]
    public void A_file_of_100_megabytes_is_refused_without_being_read()
    {
        using var folder = new TemporaryDirectory();
        var file = folder.Combine("plan.yaml");
        using (var stream = File.Create(file))
            stream.SetLength(100L << 20);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Should.Throw<PlanException>(() => PlanFile.Load(file)).Message.ShouldContain("larger than 1 MiB");
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(4L << 20);
    }

    [Theory]
    [InlineData("[", "]", 400_000)]
    [InlineData("{\"a\":", "}", 150_000)]
    [InlineData("- ", "", 400_000)]
    [InlineData("{a: ", "}", 150_000)]
    public void What_is_nested_too_deeply_is_refused_at_once(string open, string close, int depth)
    {
        var clock = Stopwatch.StartNew();
        var text = string.Concat(Enumerable.Repeat(open, depth)) + string.Concat(Enumerable.Repeat(close, depth));
        PlanText.ProblemsOf(text.Length > (1 << 20) ? text[..(1 << 20)] : text).ShouldNotBeEmpty();
        clock.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(10));
    }

    [Theory]
    [InlineData("{\"jobs\": [", "1,", "1]}")]
    [InlineData("{\"jobs\": [", "{},", "{}]}")]
    [InlineData("{", "\"name-{0}\":1,", "\"x\":1}")]
    [InlineData("", "name-{0}: x\n", "")]
    [InlineData("", "- x\n", "")]
    [InlineData("", "\n", "jobs: 1")]
    [InlineData("{\"jobs\": [{\"name\":\"a\",\"system\":\"folders\",\"path\":[", "1,", "1]}]}")]
    public void What_is_as_wide_as_a_file_may_be_is_read_at_once(string begin, string middle, string end)
    {
        var text = new StringBuilder(begin);
        for (var i = 0; text.Length < (1 << 20) - 64; i++)
            text.Append(middle.Replace("{0}", $"{i}", StringComparison.Ordinal));
        var clock = Stopwatch.StartNew();
        PlanText.ProblemsOf(text.Append(end).ToString()).Count.ShouldBeInRange(1, 50);
        clock.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(10));
    }

    [Fact]
    public void A_bomb_of_aliases_does_not_go_off()
    {
        var bomb = new StringBuilder("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
        for (var i = 1; i < 30; i++)
            bomb.Append($"a{i}: &a{i} [{string.Join(", ", Enumerable.Repeat($"*a{i - 1}", 9))}]\n");
        PlanText.ProblemsOf(bomb.ToString())[0].Message.ShouldContain("are not read");
    }

    [Fact]
    public void A_text_in_another_encoding_is_refused_and_a_mark_is_passed_over()
    {
        byte[] latin = [.. "jobs: [{name: a, system: folders, path: /"u8, 0xE4, (byte)'}', (byte)']'];
        Should.Throw<PlanException>(() => PlanFile.Parse(latin, "plan.yaml", "/")).Message.ShouldContain("UTF-8");
        PlanFile.Parse([0xEF, 0xBB, 0xBF, .. "jobs: [{name: a, system: folders, path: /a}]"u8], "plan", "/").Jobs.Count.ShouldBe(1);
    }

    [Fact]
    public void Whatever_is_damaged_in_a_plan_it_is_told_and_nothing_else_happens()
    {
        var random = new Random(20261121);
        var whole = 0;
        foreach (var (text, name) in new[] { (Yaml, "plan.yaml"), (Json, "plan.json") })
        {
            for (var i = 0; i < 10_000; i++)
            {
                var bytes = Encoding.UTF8.GetBytes(text).ToList();
                for (var change = random.Next(1, 4); change > 0; change--)
                {
                    var at = random.Next(bytes.Count);
                    switch (random.Next(3))
                    {
                        case 0:
                            bytes[at] = (byte)random.Next(256);
                            break;
                        case 1:
                            bytes.RemoveAt(at);
                            break;
                        default:
                            bytes.Insert(at, Marks[random.Next(Marks.Length)]);
                            break;
                    }
                }

                try
                {
                    PlanFile.Parse(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(bytes), name, "/");
                    whole++;
                }
                catch (PlanException exception)
                {
                    exception.Problems.ShouldNotBeEmpty();
                }
            }
        }

        whole.ShouldBeInRange(1, 19_999);
    }

    private static ReadOnlySpan<byte> Marks => "{}[]:,&*!|>'\"#-%@`\n\t 0a"u8;

    [GeneratedRegex(@"(@'|<<'EOF'|```yaml)\n(?<plan>.*?)\n('@|EOF|```)", RegexOptions.Singleline | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 5000)]
    private static partial Regex Examples();
}
