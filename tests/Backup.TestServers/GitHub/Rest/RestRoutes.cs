namespace Backup.TestServers.GitHub.Rest;

/// <summary>Operations by method and path template, as the OpenAPI description names them.</summary>
internal sealed class RestRoutes
{
    private readonly List<(string Method, string[] Parts, Func<RestCall, Task> Handler)> _routes = [];

    public void Add(string method, string template, Func<RestCall, Task> handler) => _routes.Add((method, Split(template), handler));

    public (Func<RestCall, Task> Handler, Dictionary<string, string> Values)? Find(string method, string path)
    {
        var parts = Split(path);
        foreach (var route in _routes)
        {
            if (route.Method == method && Match(route.Parts, parts) is { } values)
                return (route.Handler, values);
        }

        return null;
    }

    private static string[] Split(string path) => path.Split('/', StringSplitOptions.RemoveEmptyEntries);

    private static Dictionary<string, string>? Match(string[] template, string[] path)
    {
        // The last placeholder may hold slashes: a branch's name.
        if (path.Length < template.Length || (path.Length > template.Length && template is not [.., ['{', .., '*', '}']]))
            return null;
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < template.Length; i++)
        {
            if (template[i] is ['{', .. var name, '}'])
                values[name.TrimEnd('*')] = name.EndsWith('*') ? string.Join('/', path[i..]) : path[i];
            else if (!template[i].Equals(path[i], StringComparison.Ordinal))
                return null;
        }

        return values;
    }
}
