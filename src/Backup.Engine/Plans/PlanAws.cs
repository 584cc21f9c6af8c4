using Backup.Engine.Aws;

namespace Backup.Engine.Plans;

/// <summary>Credentials, region and endpoint, of what a job says, what was given for the run, and what the plan says for all, in that order.</summary>
internal static class PlanAws
{
    /// <summary>Those of the store.</summary>
    public static AwsOptions OfStore(PlanValues values, AwsOptions given)
    {
        // A profile that the job names is its whole identity.
        var isOwn = values.Has("profileName");
        var isGiven = given.ProfileName is not null || given.Keys is not null;
        return new()
        {
            ProfileName = isOwn || !isGiven ? values.Text("profileName") : given.ProfileName,
            Keys = isOwn ? null : given.Keys,
            Region = values.Has("region") ? values.Text("region") : given.Region ?? values.Text("region"),
            EndpointUrl = values.Has("endpointUrl") ? values.Address("endpointUrl") : given.EndpointUrl ?? values.Address("endpointUrl"),
        };
    }

    /// <summary>Those of the other services: an endpoint is the store's alone, and so are keys that were given with it.</summary>
    public static AwsOptions OfServices(PlanValues values, AwsOptions given) =>
        OfStore(values, given) is { EndpointUrl: not null } store ? store with { EndpointUrl = null, Keys = null } : OfStore(values, given);
}
