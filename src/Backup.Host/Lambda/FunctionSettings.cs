using Backup.Engine;
using Backup.Engine.Aws;
using Backup.Engine.Stores;

namespace Backup.Host.Lambda;

/// <summary>A function's environment, as the templates in <c>module/templates</c> set it.</summary>
internal static class FunctionSettings
{
    /// <summary>A variable's value; null where it is not set or empty.</summary>
    public static string? Text(string name) => Environment.GetEnvironmentVariable(name) is { } value && !string.IsNullOrWhiteSpace(value) ? value.Trim() : null;

    /// <summary>A variable that has to be set.</summary>
    /// <exception cref="BackupException"><see cref="FailureKind.InvalidInput"/>.</exception>
    public static string Required(string name) => Text(name) ?? throw Invalid($"The environment variable {name} is not set.", "Set it in the function's configuration, as the templates do.");

    /// <summary>A variable that is a number above 0; null where it is not set.</summary>
    /// <exception cref="BackupException"><see cref="FailureKind.InvalidInput"/> where it is none.</exception>
    public static double? Number(string name) => Text(name) is not { } text ? null
        : double.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out var number) && number > 0 ? number
        : throw Invalid($"The environment variable {name} is not a number above 0.", "Set it to one, or leave it out.");

    /// <summary>A variable that is an address; null where it is not set.</summary>
    /// <exception cref="BackupException"><see cref="FailureKind.InvalidInput"/> where it is none.</exception>
    public static Uri? Address(string name) => Text(name) is not { } text ? null
        : Uri.TryCreate(text, UriKind.Absolute, out var address) && address.Scheme is "http" or "https" ? address
        : throw Invalid($"The environment variable {name} is not an http or https address.", "Set it to one, or leave it out.");

    /// <summary>A variable that is a store.</summary>
    /// <exception cref="BackupException"><see cref="FailureKind.InvalidInput"/>.</exception>
    public static StoreLocation Store(string name) => StoreLocation.Parse(Required(name));

    /// <summary>
    /// A variable that says where a secret is. The secret itself is refused there: whoever may look at the function would see it. No message holds what was given.
    /// </summary>
    /// <exception cref="BackupException"><see cref="FailureKind.InvalidInput"/>.</exception>
    public static AwsSecretReference Secret(string name) => AwsSecretReference.TryParse(Required(name))
        ?? throw Invalid($"The environment variable {name} is not a reference to a secret.", "Set it to secret:name-or-arn, secret:name-or-arn#key or ssm:/name, and never to the secret itself.");

    private static BackupException Invalid(string message, string advice) => new(FailureKind.InvalidInput, message, advice);
}
