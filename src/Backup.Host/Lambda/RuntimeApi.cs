using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Backup.Engine;

namespace Backup.Host.Lambda;

/// <summary>One event that the function is to handle.</summary>
/// <param name="RequestId">What names the invocation.</param>
/// <param name="Deadline">When Lambda ends the process, in UTC.</param>
/// <param name="Event">The event's JSON.</param>
internal sealed record Invocation(string RequestId, DateTimeOffset Deadline, string Event);

/// <summary>
/// The Lambda runtime API, version 2018-06-01: where a custom runtime gets its events and gives its answers.
/// Source: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html.
/// </summary>
internal sealed class RuntimeApi : IDisposable
{
    private const string Variable = "AWS_LAMBDA_RUNTIME_API";
    private const string TraceVariable = "_X_AMZN_TRACE_ID";
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(30);

    // It is on this machine: no proxy is between. An event may be hours away, and the documentation asks for no timeout there.
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false, UseCookies = false, AllowAutoRedirect = false }) { Timeout = Timeout.InfiniteTimeSpan };

    private RuntimeApi(string authority) => _http.BaseAddress = new Uri($"http://{authority}/2018-06-01/runtime/");

    /// <summary>Whether this process was started by Lambda.</summary>
    public static bool IsOffered => Environment.GetEnvironmentVariable(Variable) is { Length: > 0 };

    /// <summary>Connects to what the environment names.</summary>
    /// <exception cref="BackupException"><see cref="FailureKind.InvalidInput"/> where it names none.</exception>
    public static RuntimeApi FromEnvironment() => new(Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } authority
        ? authority
        : throw new BackupException(FailureKind.InvalidInput, $"This is not a Lambda function: {Variable} is not set.", "Deploy the executable as a function's bootstrap; docs/host.md says how."));

    /// <summary>Waits for the next event, for as long as it takes.</summary>
    public async Task<Invocation> NextAsync(CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "invocation/next");
        using var answer = await SendAsync(request, cancellationToken);
        if (answer.StatusCode != HttpStatusCode.OK)
            throw new BackupException(FailureKind.Unavailable, $"The Lambda runtime API gave no event, but {(int)answer.StatusCode}.");
        // The SDK sends the trace on, by which AWS notices functions that call themselves.
        Environment.SetEnvironmentVariable(TraceVariable, Header(answer.Headers, "Lambda-Runtime-Trace-Id"));
        var id = Header(answer.Headers, "Lambda-Runtime-Aws-Request-Id") ?? throw new BackupException(FailureKind.Unavailable, "The Lambda runtime API gave an event without an id.");
        var deadline = long.TryParse(Header(answer.Headers, "Lambda-Runtime-Deadline-Ms"), NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds)
            ? DateTimeOffset.FromUnixTimeMilliseconds(milliseconds)
            : DateTimeOffset.MaxValue;
        return new(id, deadline, await answer.Content.ReadAsStringAsync(cancellationToken));
    }

    /// <summary>Gives the function's answer.</summary>
    public Task AnswerAsync(Invocation invocation, JsonNode answer) => PostAsync($"invocation/{invocation.RequestId}/response", answer, null);

    /// <summary>Says that the event was not handled, or not all of it. Lambda then tries again, or keeps it, as the function is configured.</summary>
    public Task FailAsync(Invocation invocation, BackupException failure) => PostAsync($"invocation/{invocation.RequestId}/error", Describe(failure), failure);

    /// <summary>Says that the function cannot handle any event.</summary>
    public Task FailStartAsync(BackupException failure) => PostAsync("init/error", Describe(failure), failure);

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private static JsonObject Describe(BackupException failure) => new()
    {
        ["errorType"] = failure.Kind.ToString(),
        ["errorMessage"] = failure.Advice is { } advice ? $"{failure.Message} {advice}" : failure.Message,
        ["stackTrace"] = new JsonArray(),
    };

    // On no token of the invocation: that one may just have been cancelled.
    private async Task PostAsync(string path, JsonNode body, BackupException? failure)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json") };
        if (failure is not null)
            request.Headers.Add("Lambda-Runtime-Function-Error-Type", $"Backup.{failure.Kind}");
        using var patience = new CancellationTokenSource(AnswerTimeout);
        using var answer = await SendAsync(request, patience.Token);
        if (!answer.IsSuccessStatusCode)
            throw new BackupException(FailureKind.Unavailable, $"The Lambda runtime API did not take the answer: {(int)answer.StatusCode}.");
    }

    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try
        {
            return await _http.SendAsync(request, cancellationToken);
        }
        catch (HttpRequestException exception)
        {
            throw new BackupException(FailureKind.Unavailable, $"The Lambda runtime API cannot be reached: {exception.Message}", null, exception);
        }
    }

    private static string? Header(HttpResponseHeaders headers, string name) => headers.TryGetValues(name, out var values) ? values.FirstOrDefault() : null;
}
