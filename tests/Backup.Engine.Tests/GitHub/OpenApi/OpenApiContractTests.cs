using System.Net.Http.Headers;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Backup.Engine.GitHub;
using Backup.TestServers.GitHub;

namespace Backup.Engine.Tests.GitHub.OpenApi;

/// <summary>
/// Every request that a backup and a restore send is held against GitHub's own description of its API. They are sent to the loopback server,
/// as they are in earnest, and each that it has seen is sent again to Prism, which says what is wrong with it.
/// </summary>
public sealed class OpenApiContractTests(PrismServer prism)
{
    private static readonly string[] Prefixes = ["/api/v3", "/api/uploads"];

    [Fact]
    public async Task Every_request_is_as_GitHub_describes_it()
    {
        var endpoint = await prism.EndpointAsync();
        var requests = await RecordAsync();
        foreach (var operation in Operations())
            requests.ShouldContain(request => request.Method == operation.Method.Method && Matches(operation, request.Path), $"No test sends {operation}.");

        // Its answers lead to GitHub itself.
        using var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false });
        var wrong = new List<string>();
        foreach (var request in requests)
        {
            using var message = new HttpRequestMessage(new(request.Method), new Uri(endpoint, Uri.EscapeDataString(request.Path[1..]).Replace("%2F", "/", StringComparison.Ordinal).Replace("%25", "%", StringComparison.Ordinal) + request.Query));
            message.Headers.Accept.Add(new("application/json"));
            message.Headers.Authorization = new("Bearer", "a-token");
            message.Headers.UserAgent.ParseAdd(request.Headers["User-Agent"]);
            message.Headers.Add("X-GitHub-Api-Version", request.Headers["X-GitHub-Api-Version"]);
            if (request.Body is { } body)
                message.Content = new StringContent(body, Encoding.UTF8, "application/json");
            else if (request.Method == "POST" && request.Headers.TryGetValue("Content-Type", out var type))
                message.Content = new ByteArrayContent([1, 2, 3]) { Headers = { ContentType = MediaTypeHeaderValue.Parse(type) } };
            using var answer = await client.SendAsync(message);
            if (answer.Content.Headers.ContentType?.MediaType == "application/problem+json" && await answer.Content.ReadAsStringAsync() is var problem && !problem.Contains("NOT_ACCEPTABLE", StringComparison.Ordinal))
                wrong.Add($"{request.Method} {request.Path}{request.Query}\n{request.Body}\n{problem}");
        }

        wrong.ShouldBeEmpty(string.Join("\n\n", wrong.Take(5)));
    }

    [Fact]
    public async Task Our_models_read_GitHubs_own_examples()
    {
        using var client = new GitHubClient(new() { ApiUri = await prism.EndpointAsync(), Credential = GitHubCredential.ForToken("a-token"), Accept = "application/json" }, TimeProvider.System, null);
        object[] repository = ["octocat", "hello"];

        (await client.GetAsync(Operation.GetRepository, repository, GitHubJson.Default.MinimalRepository, CancellationToken.None)).PushedAt.ShouldNotBeNull();
        (await client.GetAsync(Operation.GetAuthenticatedUser, [], GitHubJson.Default.SimpleUser, CancellationToken.None)).Login.ShouldNotBeEmpty();
        (await FirstAsync(Operation.ListIssues, GitHubJson.Default.Issue)).Number.ShouldBeGreaterThan(0);
        (await FirstAsync(Operation.ListIssueComments, GitHubJson.Default.IssueComment)).IssueUrl.ShouldNotBeNull();
        (await FirstAsync(Operation.ListLabels, GitHubJson.Default.Label)).Name.ShouldNotBeEmpty();
        (await FirstAsync(Operation.ListMilestones, GitHubJson.Default.Milestone)).Title.ShouldNotBeEmpty();
        (await FirstAsync(Operation.ListReleases, GitHubJson.Default.Release)).Assets.ShouldNotBeEmpty();

        async Task<T> FirstAsync<T>(Operation operation, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
        {
            // Prism's examples lead on to api.github.com, which is not followed: the items of the first page are what counts.
            using var http = new HttpClient();
            using var request = new HttpRequestMessage(HttpMethod.Get, client.Address(operation, repository, "?per_page=100"));
            request.Headers.Accept.ParseAdd("application/json");
            request.Headers.Authorization = new("Bearer", "a-token");
            using var answer = await http.SendAsync(request);
            var item = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!.AsArray()[0]!;
            return System.Text.Json.JsonSerializer.Deserialize(item.ToJsonString(), type)!;
        }
    }

    [Fact]
    public async Task A_list_that_goes_on_at_another_host_is_not_followed()
    {
        var connection = new GitHubConnection { ApiUri = await prism.EndpointAsync(), Credential = GitHubCredential.ForToken("a-token"), Accept = "application/json" };

        var failure = await Should.ThrowAsync<BackupException>(async () => await GitHubRepositories.ListAsync(new() { Connection = connection, Organizations = ["octocat"] }).ToListAsync());

        failure.Message.ShouldContain("api.github.com");
    }

    private static IEnumerable<Operation> Operations() =>
        typeof(Operation).GetFields(BindingFlags.Public | BindingFlags.Static).Where(field => field.FieldType == typeof(Operation)).Select(field => (Operation)field.GetValue(null)!);

    private static bool Matches(Operation operation, string path) =>
        Regex.IsMatch(path, "^/" + Regex.Replace(Regex.Escape(operation.Template).Replace("}", "\\}", StringComparison.Ordinal), @"\\\{[^}]+\\\}", "[^/]+", RegexOptions.None, TimeSpan.FromSeconds(1)) + "$", RegexOptions.None, TimeSpan.FromSeconds(1));

    /// <summary>All requests to the API of backups and restores of everything there is, each once.</summary>
    private static async Task<List<RequestRecord>> RecordAsync()
    {
        await using var place = await GitHubPlace.CreateAsync();
        var repository = await place.AddAsync("acme/app");
        var content = place.Server.Content(repository);
        content.Label("bug");
        content.Milestone("1.0");
        content.Issue("first", labels: ["bug"], milestone: 1);
        content.Issue("second", state: "closed");
        content.Review((int)content.PullRequest("third")["number"]!, "fine");
        content.Comment(1, "text");
        content.Asset(content.Release("v1", "Notes."), "app.bin", [1, 2, 3]);
        content.Add("topics", new() { ["name"] = "backup" });
        content.Add("rulesets", new() { ["id"] = 7, ["name"] = "main" });
        content.Add("branch-protections", new() { ["name"] = "main" });
        place.Server.World.RecordsOf("acme", "teams").Add(new() { ["id"] = 3, ["slug"] = "ops" });
        place.Server.World.RecordsOf("octocat", "gists").Add(new() { ["id"] = "abc", ["files"] = new JsonObject() });
        await place.AddAsync("octocat/mine");
        using var key = RSA.Create(2048);
        place.Server.World.AddInstallation("1", key.ExportSubjectPublicKeyInfoPem(), 99, "acme");
        var all = GitHubContent.Default | GitHubContent.Zip;

        foreach (var list in new GitHubListOptions[] { new() { Organizations = ["acme"] }, new() { Users = ["hubot", "octocat"] }, new(), new() { Names = ["acme/app"] } })
            await place.BackupAsync(place.Options() with { List = list with { Connection = place.Connection }, Content = all });
        // With what is known now, so that the questions of later runs are asked too.
        content.Issue("later");
        await place.BackupAsync(place.Options("acme") with { Content = all });
        await place.BackupAsync(place.Options() with { List = new() { Connection = place.Connection with { Credential = GitHubCredential.ForApp("1", 99, key.ExportRSAPrivateKeyPem()) } } });

        await using var target = await GitHubServer.StartAsync();
        target.World.AddAccount("copies", organization: true);
        var restore = new GitHubRestoreOptions { From = place.Destination, Names = ["acme/app"], Connection = new() { ApiUri = target.ApiUri, Credential = GitHubCredential.ForToken(target.Token), WritesPerMinute = 60_000 } };
        foreach (var owner in new[] { "copies", "octocat" })
            (await GitHubRestore.RunAsync(restore with { Owner = owner }).ToListAsync()).Single().Failures.ShouldBeEmpty();
        // A branch that is not what the server takes for its default.
        target.World.Repositories.First().DefaultBranch = "other";
        await GitHubRestore.RunAsync(restore with { Owner = "copies" }).ToListAsync();

        return [.. place.Server.Requests.Concat(target.Requests)
            .Select(request => (Request: request, Prefix: Array.Find(Prefixes, prefix => request.Path.StartsWith(prefix + "/", StringComparison.Ordinal))))
            .Where(item => item.Prefix is not null)
            .Select(item => new RequestRecord { Method = item.Request.Method, Path = item.Request.Path[item.Prefix!.Length..], Query = item.Request.Query, Headers = item.Request.Headers, Body = item.Request.Body })
            .Where(request => !request.Path.StartsWith("/repositories/", StringComparison.Ordinal))
            .DistinctBy(request => $"{request.Method} {request.Path}{request.Query} {request.Body}", StringComparer.Ordinal)];
    }
}
