using System.Globalization;
using System.Text.Json.Nodes;

namespace Backup.TestServers.Aws;

/// <summary>The aws subcommand: who is it that asks, and what may they read. For profiles with roles and SSO, which moto_server cannot tell apart.</summary>
internal static class AwsCommand
{
    private const string Help = """
        aws: STS, SSO, Parameter Store and Secrets Manager on 127.0.0.1; every signature is verified

          --port N                0 (default) for any free port
          --parameter NAME=VALUE  a parameter; may be repeated
          --secret NAME=VALUE     a secret; may be repeated
          --deny NAME             reading this one gets AccessDeniedException; may be repeated

        The key test / testsecret is known. AssumeRole gives ASIAROLE, SSO's GetRoleCredentials (token: sso-token) gives ASIASSO.
        A line for every request: status, operation, service, region, access key.
        """;

    public static async Task<int> RunAsync(string[] args)
    {
        var port = 0;
        var (parameters, secrets, denied) = (new Dictionary<string, string>(StringComparer.Ordinal), new Dictionary<string, string>(StringComparer.Ordinal), new HashSet<string>(StringComparer.Ordinal));
        for (var i = 0; i < args.Length; i++)
        {
            switch (args[i])
            {
                case "--port" when i + 1 < args.Length:
                    port = int.Parse(args[++i], CultureInfo.InvariantCulture);
                    break;
                case "--parameter" when i + 1 < args.Length && args[i + 1].Split('=', 2) is [var name, var value]:
                    (parameters[name], i) = (value, i + 1);
                    break;
                case "--secret" when i + 1 < args.Length && args[i + 1].Split('=', 2) is [var name, var value]:
                    (secrets[name], i) = (value, i + 1);
                    break;
                case "--deny" when i + 1 < args.Length:
                    denied.Add(args[++i]);
                    break;
                default:
                    Console.WriteLine(Help);
                    return args[i] is "--help" or "-h" ? 0 : 2;
            }
        }

        using var stop = new StopSignal();
        await using var server = await AwsServer.StartAsync(
            request => Answer(request, parameters, secrets, denied),
            port,
            request => request.RawPath.StartsWith("/federation/", StringComparison.Ordinal),
            (request, status) => Console.WriteLine($"{status} {request.Operation} {request.Service} {request.Region} {request.AccessKey}"));
        server.Credentials.Add("ASIAROLE", "rolesecret", "roletoken");
        server.Credentials.Add("ASIASSO", "ssosecret", "ssotoken");
        Console.WriteLine(server.Endpoint);
        await stop.WaitAsync();
        return 0;
    }

    private static AwsAnswer Answer(AwsRequest request, Dictionary<string, string> parameters, Dictionary<string, string> secrets, HashSet<string> denied)
    {
        var operation = request.Operation;
        // SSO: https://docs.aws.amazon.com/singlesignon/latest/PortalAPIReference/API_GetRoleCredentials.html
        if (operation.StartsWith("GET /federation/credentials", StringComparison.Ordinal))
        {
            return request.Headers.GetValueOrDefault("x-amz-sso_bearer_token") == "sso-token"
                ? AwsAnswer.Json(new JsonObject
                {
                    ["roleCredentials"] = new JsonObject
                    {
                        ["accessKeyId"] = "ASIASSO",
                        ["secretAccessKey"] = "ssosecret",
                        ["sessionToken"] = "ssotoken",
                        ["expiration"] = DateTimeOffset.UtcNow.AddHours(1).ToUnixTimeMilliseconds(),
                    },
                }.ToJsonString())
                : AwsAnswer.Error(401, "UnauthorizedException", "Session token not found or invalid");
        }

        return operation switch
        {
            // STS: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
            "AssumeRole" => AwsAnswer.Xml($"""
                <AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><AssumedRoleUser><Arn>{request.Form["RoleArn"]}</Arn><AssumedRoleId>AROA:x</AssumedRoleId></AssumedRoleUser>
                <Credentials><AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>rolesecret</SecretAccessKey><SessionToken>roletoken</SessionToken><Expiration>{DateTime.UtcNow.AddHours(1):yyyy-MM-ddTHH:mm:ssZ}</Expiration></Credentials>
                </AssumeRoleResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></AssumeRoleResponse>
                """),
            // https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
            "GetCallerIdentity" => AwsAnswer.Xml("""
                <GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/backup</Arn><UserId>AIDA1</UserId><Account>123456789012</Account></GetCallerIdentityResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></GetCallerIdentityResponse>
                """),
            "GetParameter" => Read(request.Json.GetProperty("Name").GetString()!, parameters, denied, "ParameterNotFound", (name, value) => new() { ["Parameter"] = new JsonObject { ["Name"] = name, ["Type"] = "SecureString", ["Value"] = value, ["Version"] = 1 } }),
            "GetSecretValue" => Read(request.Json.GetProperty("SecretId").GetString()!, secrets, denied, "ResourceNotFoundException", (name, value) => new() { ["Name"] = name, ["SecretString"] = value }),
            _ => AwsAnswer.Error(400, "UnknownOperationException", operation),
        };
    }

    private static AwsAnswer Read(string name, Dictionary<string, string> values, HashSet<string> denied, string missing, Func<string, string, JsonObject> answer) =>
        denied.Contains(name) ? AwsAnswer.Error(400, "AccessDeniedException", $"User: arn:aws:iam::123456789012:user/u is not authorized on resource {name}")
        : values.TryGetValue(name, out var value) ? AwsAnswer.Json(answer(name, value).ToJsonString())
        : AwsAnswer.Error(400, missing, "");
}
