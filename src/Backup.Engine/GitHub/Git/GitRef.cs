namespace Backup.Engine.GitHub.Git;

/// <summary>A ref and the object it names.</summary>
/// <param name="Name">Its full name, below <c>refs/</c>.</param>
/// <param name="ObjectId">The object's id, in lower-case hexadecimal.</param>
public sealed record GitRef(string Name, string ObjectId)
{
    /// <summary>As <c>git show-ref</c> prints it: <c>id name</c>.</summary>
    public override string ToString() => $"{ObjectId} {Name}";
}
