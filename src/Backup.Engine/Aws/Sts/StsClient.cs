using System.Xml.Linq;
using Backup.Engine.Aws.Api;

namespace Backup.Engine.Aws.Sts;

/// <summary>AWS STS: the operations that the module uses, named as the AWS SDK names them (https://docs.aws.amazon.com/STS/latest/APIReference/).</summary>
internal sealed class StsClient : IDisposable
{
    /// <summary>The service.</summary>
    public static AwsService Service { get; } = new("STS", "sts", "2011-06-15");

    private readonly AwsApiClient _api;

    /// <summary>Creates the client; nothing is contacted yet.</summary>
    public StsClient(AwsClientOptions options) => _api = AwsApiClient.Create(Service, options);

    /// <summary>Whose the credentials are. It needs no permission, and no policy can deny it.</summary>
    public Task<GetCallerIdentityResponse> GetCallerIdentityAsync(CancellationToken cancellationToken = default) => _api.QueryAsync(
        "GetCallerIdentity",
        new QueryForm(),
        e => new GetCallerIdentityResponse(Text(e, "Account"), Text(e, "Arn")),
        cancellationToken);

    /// <inheritdoc/>
    public void Dispose() => _api.Dispose();

    private static string? Text(XElement e, string name) => e.Descendants().FirstOrDefault(child => child.Name.LocalName == name)?.Value;
}

/// <summary>Whose credentials are.</summary>
internal sealed record GetCallerIdentityResponse(string? Account, string? Arn);
