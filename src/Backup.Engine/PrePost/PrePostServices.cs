using System.Collections.Concurrent;
using Amazon;
using Backup.Engine.Aws;
using Backup.Engine.Aws.Api;
using Backup.Engine.Aws.AwsBackup;
using Backup.Engine.Aws.Ec2;
using Backup.Engine.Aws.Iam;
using Backup.Engine.Aws.Ssm;
using Backup.Engine.Stores;

namespace Backup.Engine.PrePost;

/// <summary>The services of a run. All its instances share them, and each operation keeps below one rate.</summary>
internal sealed class PrePostServices : IDisposable
{
    // EC2's buckets refill with 20 describing and 5 changing requests a second, for the whole account
    // (https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html): others live there too.
    private const double Ec2Describing = 10;
    private const double Ec2Changing = 4;

    // Systems Manager and AWS Backup tell no figures that hold for every account; both throttle, and are heeded when they do.
    private const double Ssm = 10;
    private const double AwsBackup = 5;

    public PrePostServices(AwsOptions aws, StoreOptions store, string? region, Uri? endpoint)
    {
        var options = new AwsClientOptions
        {
            Aws = region is null ? aws : aws with { Region = region },
            Logger = store.Logger,
            Time = store.Time,
            Endpoint = endpoint,
        };
        Ec2 = new(options with { Rates = Rates(operation => operation.StartsWith("Describe", StringComparison.Ordinal) ? Ec2Describing : Ec2Changing, store.Time) });
        SsmClient = new(options with { Rates = Rates(_ => Ssm, store.Time) });
        Backup = new(options with { Rates = Rates(_ => AwsBackup, store.Time) });
        // Only a check before the run: where the service cannot be reached it is done without.
        Iam = new(options with { MaxAttempts = 2, Timeout = TimeSpan.FromSeconds(10) });
    }

    public Ec2Client Ec2 { get; }

    public SsmClient SsmClient { get; }

    public BackupClient Backup { get; }

    public IamClient Iam { get; }

    public string Region => Ec2.Region;

    /// <summary>aws, aws-cn, aws-us-gov …</summary>
    public string Partition => RegionEndpoint.GetBySystemName(Region).PartitionName;

    public string DnsSuffix => RegionEndpoint.GetBySystemName(Region).PartitionDnsSuffix;

    public void Dispose()
    {
        Ec2.Dispose();
        SsmClient.Dispose();
        Backup.Dispose();
        Iam.Dispose();
    }

    private static Func<string, RateLimit?> Rates(Func<string, double> perSecond, TimeProvider time)
    {
        var limits = new ConcurrentDictionary<string, RateLimit>(StringComparer.Ordinal);
        return operation => limits.GetOrAdd(operation, name => new RateLimit(perSecond(name), time));
    }
}
