using Backup.TestServers.GitHub;
using Backup.TestServers.S3;

return args switch
{
    ["s3", .. var rest] => await StrictS3Command.RunAsync(rest),
    ["github", .. var rest] => await GitHubCommand.RunAsync(rest),
    _ => Usage(args),
};

static int Usage(string[] args)
{
    Console.WriteLine("""
        Loopback peers for tests and for trying things by hand. They bind 127.0.0.1 only.

          s3      an S3 that verifies signatures and checksums      (s3 --help)
          github  a GitHub with real repositories over smart HTTP   (github --help)
        """);
    return args is [] or ["--help"] or ["-h"] ? 0 : 2;
}
