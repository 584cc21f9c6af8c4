using System.Management.Automation;
using System.Reflection;

namespace AtlassianBackup;

/// <summary>
/// Makes an <see cref="AwsCredential"/> of a PSCredential (user name: access key; password: secret key), or of a credential
/// object of AWS.Tools. The latter is read by the names of its members: its types are those of another AWSSDK.Core than ours.
/// </summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Field | AttributeTargets.Parameter)]
public sealed class AwsCredentialTransformationAttribute : ArgumentTransformationAttribute
{
    private const BindingFlags Members = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance;

    /// <inheritdoc/>
    public override object? Transform(EngineIntrinsics engineIntrinsics, object? inputData)
    {
        if (inputData is PSObject wrapped)
            inputData = wrapped.BaseObject;
        return inputData is null ? null : Read(inputData) ?? throw new ArgumentTransformationMetadataException(
            "This is no AWS credential. Give a PSCredential (user name: access key, password: secret key), or what Get-AWSCredential or Use-STSRole's Credentials give.");
    }

    /// <summary>Reads a credential, or returns null where it is none.</summary>
    internal static AwsCredential? Read(object value) => value switch
    {
        AwsCredential credential => credential,
        PSCredential credential => new(credential.UserName, credential.GetNetworkCredential().Password, null),
        _ => FromMembers(value) ?? FromProvider(value),
    };

    // Amazon.Runtime.AWSCredentials.GetCredentials(), and what holds one: $StoredAWSCredentials is such a wrapper.
    private static AwsCredential? FromProvider(object value)
    {
        if (value.GetType().GetMethod("GetCredentials", Members, Type.EmptyTypes) is { } method && Call(() => method.Invoke(value, null)) is { } keys)
            return FromMembers(keys);
        return value.GetType().GetProperty("Credentials", Members) is { } property && Call(() => property.GetValue(value)) is { } inner && inner.GetType() != value.GetType()
            ? Read(inner)
            : null;
    }

    // ImmutableCredentials (AccessKey, SecretKey, Token), and the Credentials of STS (AccessKeyId, SecretAccessKey, SessionToken).
    private static AwsCredential? FromMembers(object value)
    {
        var access = Text(value, "AccessKey") ?? Text(value, "AccessKeyId");
        var secret = Text(value, "SecretKey") ?? Text(value, "SecretAccessKey");
        return access is not null && secret is not null ? new(access, secret, Text(value, "Token") ?? Text(value, "SessionToken")) : null;
    }

    private static string? Text(object value, string name) =>
        value.GetType().GetProperty(name, BindingFlags.Public | BindingFlags.Instance) is { } property && property.PropertyType == typeof(string)
            ? property.GetValue(value) as string
            : null;

    // An expired role or a missing SSO token speaks here: its words, not reflection's.
    private static object? Call(Func<object?> member)
    {
        try
        {
            return member();
        }
        catch (TargetInvocationException e) when (e.InnerException is { } inner)
        {
            throw new ArgumentTransformationMetadataException("The AWS credential could not give its keys: " + inner.Message, inner);
        }
    }
}
