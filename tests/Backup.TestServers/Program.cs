using Backup.TestServers.Atlassian;
using Backup.TestServers.S3;

return args switch
{
    ["atlassian", .. var rest] => await AtlassianCommand.RunAsync(rest),
    ["s3", .. var rest] => await StrictS3Command.RunAsync(rest),
    _ => Usage(args),
};

static int Usage(string[] args)
{
    Console.WriteLine("""
        Loopback peers for tests and for trying things by hand. They bind 127.0.0.1 only.

          atlassian  a site with Confluence and Jira              (atlassian --help)
          s3         an S3 that verifies signatures and checksums (s3 --help)
        """);
    return args is [] or ["--help"] or ["-h"] ? 0 : 2;
}
