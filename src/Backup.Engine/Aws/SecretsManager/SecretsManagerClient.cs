using System.Text.Json.Serialization;
using Backup.Engine.Aws.Api;

namespace Backup.Engine.Aws.SecretsManager;

// Names and members are those of the AWS SDK (model of 2017-10-17): https://docs.aws.amazon.com/secretsmanager/latest/apireference/.

internal sealed record GetSecretValueRequest
{
    /// <summary>A name or an ARN.</summary>
    public required string SecretId { get; init; }

    public string? VersionId { get; init; }

    public string? VersionStage { get; init; }
}

// Not a record: a record prints its members.
internal sealed class GetSecretValueResponse
{
    public string? ARN { get; init; }

    public string? Name { get; init; }

    public string? VersionId { get; init; }

    public byte[]? SecretBinary { get; init; }

    public string? SecretString { get; init; }

    public IReadOnlyList<string>? VersionStages { get; init; }

    public DateTimeOffset? CreatedDate { get; init; }
}

/// <summary>AWS Secrets Manager: the operations that the module uses, named as the AWS SDK names them.</summary>
internal sealed class SecretsManagerClient : IDisposable
{
    /// <summary>The service.</summary>
    public static AwsService Service { get; } = new("Secrets Manager", "secretsmanager", "2017-10-17");

    private readonly AwsApiClient _api;

    /// <summary>Creates the client; nothing is contacted yet.</summary>
    public SecretsManagerClient(AwsClientOptions options) => _api = AwsApiClient.Create(Service, options);

    /// <summary>The region that requests are signed for.</summary>
    public string Region => _api.Region;

    /// <summary>A secret's value.</summary>
    public Task<GetSecretValueResponse> GetSecretValueAsync(GetSecretValueRequest request, CancellationToken cancellationToken = default) =>
        _api.JsonAsync("secretsmanager", "GetSecretValue", request, SecretsManagerJson.Default.GetSecretValueRequest, SecretsManagerJson.Default.GetSecretValueResponse, cancellationToken);

    /// <inheritdoc/>
    public void Dispose() => _api.Dispose();
}

[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, Converters = [typeof(EpochSecondsConverter)])]
[JsonSerializable(typeof(GetSecretValueRequest))]
[JsonSerializable(typeof(GetSecretValueResponse))]
internal sealed partial class SecretsManagerJson : JsonSerializerContext;
