using Backup.Engine.Aws.Api;

namespace Backup.Engine.Tests.Aws;

/// <summary>Environment variables for one test, put back afterwards. Tests that use it run one after another.</summary>
internal sealed class AwsEnvironment : IDisposable
{
    public const string Collection = "AWS environment";

    private readonly Dictionary<string, string?> _before = new(StringComparer.Ordinal);

    public AwsEnvironment()
    {
        // Nothing of this machine's own may decide a test.
        foreach (var name in Environment.GetEnvironmentVariables().Keys.Cast<string>().Where(name => name.StartsWith("AWS_", StringComparison.Ordinal)).ToList())
            Set(name, null);
        Set("AWS_CONFIG_FILE", "/nonexistent/config");
        Set("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent/credentials");
        Set("AWS_EC2_METADATA_DISABLED", "true");
    }

    /// <summary>Signed with the key that test servers know.</summary>
    public AwsClientOptions Options() => new() { Aws = new() { Region = "eu-central-1", Keys = new("test", "testsecret") } };

    public void Set(string name, string? value)
    {
        _before.TryAdd(name, Environment.GetEnvironmentVariable(name));
        Environment.SetEnvironmentVariable(name, value);
    }

    public void Dispose()
    {
        foreach (var (name, value) in _before)
            Environment.SetEnvironmentVariable(name, value);
    }
}

[CollectionDefinition(AwsEnvironment.Collection, DisableParallelization = true)]
public sealed class AwsEnvironmentCollection;
