using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;

namespace Backup.Engine.Http;

/// <summary>How requests are sent to one system. Everything has a default.</summary>
internal sealed record HttpOptions
{
    /// <summary>How often a request is tried before its failure counts.</summary>
    public int MaxAttempts { get; init; } = 5;

    /// <summary>The wait before the second attempt; it doubles with each further one and is spread at random.</summary>
    public TimeSpan FirstDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The longest wait of our own choice.</summary>
    public TimeSpan LongestDelay { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The longest wait that the other side may ask for. Where it asks for more, its answer is given back at once.</summary>
    public TimeSpan LongestRetryAfter { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How long it may take to connect, TLS included.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How long an attempt may take until its answer's headers are there; until its body is there as well, where that is buffered.</summary>
    public TimeSpan AnswerTimeout { get; init; } = TimeSpan.FromSeconds(100);

    /// <summary>How many redirects of one request are followed.</summary>
    public int MaxRedirects { get; init; } = 5;

    /// <summary>Encodings to ask for and to undo. Not for what is resumed by range: a range counts encoded bytes.</summary>
    public DecompressionMethods Decompression { get; init; } = DecompressionMethods.None;

    /// <summary>Trusts this certificate for TLS instead of the system's authorities (private endpoints, tests).</summary>
    public X509Certificate2? TrustedCertificate { get; init; }

    /// <summary>The clock that is waited by.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Receives decisions, or null.</summary>
    public ILogger? Logger { get; init; }
}

/// <summary>How one request is sent, where it differs from the others.</summary>
internal sealed record SendOptions
{
    /// <summary>Whether the request may be sent again after it may have arrived. Null: what the method says (GET, HEAD, OPTIONS, PUT and DELETE may).</summary>
    public bool? Repeatable { get; init; }

    /// <summary>Reads the body within the attempt, up to so many bytes, so that a cut in it is tried again too. Null: the caller reads it.</summary>
    public long? BufferUpTo { get; init; }

    /// <summary>What an answer asks for beyond the common rules: a wait before the next attempt (a rate limit told by a 403), or null.</summary>
    public Func<HttpResponseMessage, TimeSpan?>? WaitFor { get; init; }
}
