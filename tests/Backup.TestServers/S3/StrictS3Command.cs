using static Backup.TestServers.CommandArguments;

namespace Backup.TestServers.S3;

/// <summary>The s3 subcommand: a server by hand, until Ctrl+C.</summary>
internal static class StrictS3Command
{
    private const string Help = """
        s3: an S3 on 127.0.0.1 that verifies signatures and checksums

          --port N             0 (default) for any free port
          --tls                a self-signed certificate made in memory
          --certificate FILE   with --tls: write the certificate there (PEM), for AWS_CA_BUNDLE
          --access-key KEY     test
          --secret-key KEY     testsecret
          --session-token T    none
          --region NAME        us-east-1
          --bucket NAME        exists from the start; may be repeated
          --foreign-bucket N   exists and belongs to another account; may be repeated
          --deny-key TEXT      writing a key that contains this gets AccessDenied; may be repeated
          --expired            the credentials have expired
          --data DIRECTORY     where bodies above 1 MiB go while the server runs
          --delay MS           added to every request
          --restore-delay S    how long RestoreObject takes, in seconds (10)
          --sink               verify and keep nothing: for benchmarks
          --ignore-checksums | --echo-checksums | --reject-checksums
                               a lesser endpoint
          --allow-unsigned     UNSIGNED-PAYLOAD without TLS (rclone's single puts)
          --verbose            a line for every request
        """;

    public static async Task<int> RunAsync(string[] args)
    {
        var options = new StrictS3Options();
        var (verbose, certificate) = (false, (string?)null);
        var behaviour = new Behaviour();
        try
        {
            var left = new Queue<string>(args);
            while (left.TryDequeue(out var name))
            {
                switch (name)
                {
                    case "--help" or "-h":
                        Console.WriteLine(Help);
                        return 0;
                    case "--verbose":
                        verbose = true;
                        break;
                    case "--certificate":
                        certificate = Value(left, name);
                        break;
                    case "--foreign-bucket":
                        behaviour.Foreign.Add(Value(left, name));
                        break;
                    case "--deny-key":
                        behaviour.Denied.Add(Value(left, name));
                        break;
                    case "--expired":
                        behaviour.Expired = true;
                        break;
                    default:
                        options = Apply(options, name, left);
                        break;
                }
            }
        }
        catch (FormatException wrong)
        {
            await Console.Error.WriteLineAsync(wrong.Message);
            return 2;
        }

        await ServeAsync(options, behaviour, verbose, certificate);
        return 0;
    }

    private static StrictS3Options Apply(StrictS3Options options, string name, Queue<string> left) => name switch
    {
        "--port" => options with { Port = Number(left, name) },
        "--tls" => options with { Tls = true },
        "--access-key" => options with { AccessKey = Value(left, name) },
        "--secret-key" => options with { SecretKey = Value(left, name) },
        "--session-token" => options with { SessionToken = Value(left, name) },
        "--region" => options with { Region = Value(left, name) },
        "--bucket" => options with { Buckets = [.. options.Buckets, Value(left, name)] },
        "--data" => options with { DataDirectory = Value(left, name) },
        "--delay" => options with { Delay = TimeSpan.FromMilliseconds(Number(left, name)) },
        "--restore-delay" => options with { RestoreDelay = TimeSpan.FromSeconds(Number(left, name)) },
        "--sink" => options with { Sink = true },
        "--allow-unsigned" => options with { AllowUnsignedPayloadOverHttp = true },
        "--ignore-checksums" => options with { IgnoreChecksums = true },
        "--echo-checksums" => options with { EchoChecksumsUnverified = true },
        "--reject-checksums" => options with { RejectChecksumHeaders = true },
        _ => throw new FormatException($"{name} is not an option. See s3 --help."),
    };

    private static async Task ServeAsync(StrictS3Options options, Behaviour behaviour, bool verbose, string? certificate)
    {
        using var stop = new StopSignal();
        await using var server = await StrictS3Server.StartAsync(options, verbose ? record => Console.WriteLine(record) : null);
        behaviour.Apply(server);
        if (certificate is not null && server.Certificate is not null)
            await File.WriteAllTextAsync(certificate, server.Certificate.ExportCertificatePem());
        var trust = options.Tls ? certificate is null ? " --no-verify-ssl" : $" --ca-bundle {certificate}" : "";
        Console.WriteLine(
            $"{server.Endpoint}  AWS_ACCESS_KEY_ID={options.AccessKey} AWS_SECRET_ACCESS_KEY={options.SecretKey} AWS_DEFAULT_REGION={options.Region} "
            + $"aws --endpoint-url {server.Endpoint}{trust} s3 ls");
        await stop.WaitAsync();
    }

    /// <summary>What is asked of the running server, not of its start.</summary>
    private sealed class Behaviour
    {
        public List<string> Foreign { get; } = [];

        public List<string> Denied { get; } = [];

        public bool Expired { get; set; }

        public void Apply(StrictS3Server server)
        {
            foreach (var bucket in Foreign)
                server.State.AddForeignBucket(bucket);
            if (Denied.Count > 0)
                server.Deny = request => request.Method is not ("GET" or "HEAD") && Denied.Exists(text => Uri.UnescapeDataString(request.Path).Contains(text, StringComparison.Ordinal));
            if (Expired)
                server.ExpireCredentials();
        }
    }
}
