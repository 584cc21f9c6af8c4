using System.Globalization;

namespace Backup.Engine.GitHub.Git;

/// <summary>
/// The environment that git runs in. It is made from nothing: no setting of the user or the system, no hook, no prompt, no helper,
/// no protocol but the one that is needed.
/// </summary>
internal static class GitEnvironment
{
    // How a machine reaches the network and whom it trusts; and what Windows cannot start a program without.
    private static readonly string[] Inherited =
    [
        "PATH", "http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY",
        "SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO", "GIT_SSL_CAPATH",
        "SystemRoot", "SystemDrive", "windir", "TEMP", "TMP", "PATHEXT", "ComSpec",
    ];

    private static string Nothing => OperatingSystem.IsWindows() ? "NUL" : "/dev/null";

    /// <summary>Fills an environment.</summary>
    /// <param name="environment">What the process gets; emptied first.</param>
    /// <param name="command">What is run.</param>
    public static void Fill(IDictionary<string, string?> environment, GitCommand command)
    {
        environment.Clear();
        foreach (var name in Inherited)
        {
            if (Environment.GetEnvironmentVariable(name) is { Length: > 0 } value)
                environment[name] = value;
        }

        environment["LC_ALL"] = "C";
        environment["HOME"] = command.Directory;
        environment["XDG_CONFIG_HOME"] = Nothing;
        environment["GIT_CONFIG_NOSYSTEM"] = "1";
        environment["GIT_CONFIG_SYSTEM"] = Nothing;
        environment["GIT_CONFIG_GLOBAL"] = Nothing;
        environment["GIT_ATTR_NOSYSTEM"] = "1";
        environment["GIT_TERMINAL_PROMPT"] = "0";
        environment["GIT_ASKPASS"] = "true";
        environment["SSH_ASKPASS"] = "true";
        environment["GIT_SSH_COMMAND"] = "false";
        environment["GIT_EDITOR"] = "false";
        environment["GIT_PAGER"] = "cat";
        environment["GIT_OPTIONAL_LOCKS"] = "0";
        environment["GIT_NO_REPLACE_OBJECTS"] = "1";
        environment["GIT_NO_LAZY_FETCH"] = "1";
        environment["GIT_ALLOW_PROTOCOL"] = command.Remote?.Url.Scheme ?? "none";
        environment["GIT_PROTOCOL_FROM_USER"] = "0";
        if (command.Repository is { } repository)
            environment["GIT_DIR"] = repository;
        if (command.ObjectDirectory is { } objects)
            environment["GIT_OBJECT_DIRECTORY"] = objects;
        if (command.WorkTree is { } tree)
            environment["GIT_WORK_TREE"] = tree;

        var settings = Settings(command).ToArray();
        environment["GIT_CONFIG_COUNT"] = settings.Length.ToString(CultureInfo.InvariantCulture);
        for (var i = 0; i < settings.Length; i++)
        {
            environment[$"GIT_CONFIG_KEY_{i}"] = settings[i].Key;
            environment[$"GIT_CONFIG_VALUE_{i}"] = settings[i].Value;
        }
    }

    private static IEnumerable<(string Key, string Value)> Settings(GitCommand command)
    {
        yield return ("core.hooksPath", Nothing);
        yield return ("core.fsmonitor", "false");
        yield return ("core.protectNTFS", "true");
        yield return ("core.protectHFS", "true");
        yield return ("core.symlinks", OperatingSystem.IsWindows() ? "false" : "true");
        yield return ("credential.helper", "");
        yield return ("submodule.recurse", "false");
        yield return ("push.recurseSubmodules", "no");
        yield return ("push.gpgSign", "false");
        yield return ("push.followTags", "false");
        yield return ("gc.auto", "0");
        yield return ("maintenance.auto", "false");
        yield return ("advice.detachedHead", "false");
        // Known from git 2.36 on; older ones flush a pack whatever is said.
        if (!command.Durable)
            yield return ("core.fsync", "none");
        // The folder is ours, whoever the file system says it belongs to.
        yield return ("safe.directory", "*");
        if (command.Remote is not { } remote)
            yield break;
        yield return ("http.followRedirects", "false");
        yield return ("http.lowSpeedLimit", "1");
        yield return ("http.lowSpeedTime", ((long)command.Stall.TotalSeconds + 1).ToString(CultureInfo.InvariantCulture));
        if (command.Token is { Length: > 0 } token)
            yield return ($"http.{remote.Url.GetLeftPart(UriPartial.Authority)}/.extraHeader", "Authorization: Basic " + GitRemote.BasicParameter(token));
    }
}
