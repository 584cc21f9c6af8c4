using Backup.Engine.Aws.Api;

namespace Backup.Engine.Aws.Iam;

/// <summary>AWS Identity and Access Management: the operations that the module uses, named as the AWS SDK names them.</summary>
internal sealed class IamClient : IDisposable
{
    /// <summary>The service. It has one endpoint a partition.</summary>
    public static AwsService Service { get; } = new("IAM", "iam", "2010-05-08") { IsGlobal = true };

    private readonly AwsApiClient _api;

    /// <summary>Creates the client; nothing is contacted yet.</summary>
    public IamClient(AwsClientOptions options) => _api = AwsApiClient.Create(Service, options);

    /// <summary>A role's ARN, by its name without its path.</summary>
    public Task<string?> GetRoleAsync(string roleName, CancellationToken cancellationToken = default) => _api.QueryAsync(
        "GetRole",
        new QueryForm().With("RoleName", roleName),
        e => e.Descendants().FirstOrDefault(child => child.Name.LocalName is "Arn")?.Value,
        cancellationToken);

    /// <inheritdoc/>
    public void Dispose() => _api.Dispose();
}
