using Backup.TestServers.Atlassian;
using Backup.TestServers.Aws;
using Backup.TestServers.CodeArtifact;
using Backup.TestServers.GitHub;
using Backup.TestServers.Lambda;
using Backup.TestServers.PrePost;
using Backup.TestServers.S3;

return args switch
{
    ["atlassian", .. var rest] => await AtlassianCommand.RunAsync(rest),
    ["s3", .. var rest] => await StrictS3Command.RunAsync(rest),
    ["aws", .. var rest] => await AwsCommand.RunAsync(rest),
    ["codeartifact", .. var rest] => await CodeArtifactCommand.RunAsync(rest),
    ["github", .. var rest] => await GitHubCommand.RunAsync(rest),
    ["lambda", .. var rest] => await LambdaCommand.RunAsync(rest),
    ["fleet", .. var rest] => await FleetCommandLine.RunAsync(rest),
    _ => Usage(args),
};

static int Usage(string[] args)
{
    Console.WriteLine("""
        Loopback peers for tests and for trying things by hand. They bind 127.0.0.1 only.

          s3             an S3 that verifies signatures and checksums (s3 --help)
          aws            STS, SSO, parameters and secrets: who asks   (aws --help)
          codeartifact   a domain: its API, and Maven for a real mvn  (codeartifact --help)
          atlassian      a site with Confluence and Jira              (atlassian --help)
          github         real repositories over smart HTTP, with API  (github --help)
          lambda         the runtime API of a function: events in     (lambda --help)
          fleet EC2, Systems Manager and AWS Backup, for PrePost      (fleet --help)
        """);
    return args is [] or ["--help"] or ["-h"] ? 0 : 2;
}
