using Backup.TestServers.PrePost;
using Backup.TestServers.S3;

return args switch
{
    ["s3", .. var rest] => await StrictS3Command.RunAsync(rest),
    ["fleet", .. var rest] => await FleetCommandLine.RunAsync(rest),
    _ => Usage(args),
};

static int Usage(string[] args)
{
    Console.WriteLine("""
        Loopback peers for tests and for trying things by hand. They bind 127.0.0.1 only.

          s3    an S3 that verifies signatures and checksums      (s3 --help)
          fleet EC2, Systems Manager and AWS Backup               (fleet --help)
        """);
    return args is [] or ["--help"] or ["-h"] ? 0 : 2;
}
