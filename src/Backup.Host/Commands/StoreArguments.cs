using System.CommandLine;
using System.CommandLine.Parsing;
using Backup.Engine.Aws;
using Backup.Engine.Stores;
using Backup.Host.Output;

namespace Backup.Host.Commands;

/// <summary>The options that every command on a store has. Keys are never arguments: they come from the SDK's own chain.</summary>
internal sealed class StoreArguments
{
    private readonly Option<string?> _profile = new("--profile") { Description = "A profile of the AWS configuration." };
    private readonly Option<string?> _region = new("--region") { Description = "The AWS region." };
    private readonly Option<Uri?> _endpoint = new("--endpoint-url") { Description = "The endpoint of an S3-compatible store.", CustomParser = ParseUrl };

    /// <summary>The store.</summary>
    public Argument<string> Location { get; } = new("store") { Description = "s3://bucket/prefix, or a directory." };

    /// <summary>How it is reached.</summary>
    public IEnumerable<Option> Connection => [_profile, _region, _endpoint];

    /// <summary>Adds them to a command.</summary>
    public StoreArguments AddTo(Command command)
    {
        command.Add(Location);
        foreach (var option in Connection)
            command.Add(option);
        return this;
    }

    /// <summary>The store that was named.</summary>
    public StoreLocation LocationOf(ParseResult result) => StoreLocation.Parse(result.GetRequiredValue(Location));

    /// <summary>How it is opened.</summary>
    public StoreOptions OptionsOf(ParseResult result) => new()
    {
        Aws = new AwsOptions { ProfileName = result.GetValue(_profile), Region = result.GetValue(_region), EndpointUrl = result.GetValue(_endpoint) },
        Logger = HostConsole.Logger(result.GetValue(ResultWriter.Verbose)),
    };

    /// <summary>What was given for an option that may be repeated; null where nothing was.</summary>
    public static IReadOnlyList<string>? Given(ParseResult result, Option<string[]> option) => result.GetValue(option) is { Length: > 0 } values ? values : null;

    private static Uri? ParseUrl(ArgumentResult argument)
    {
        var text = argument.Tokens[0].Value;
        if (Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https")
            return url;
        argument.AddError($"'{text}' is not an http or https URL.");
        return null;
    }
}
