namespace Backup.TestServers.S3;

/// <summary>What goes wrong.</summary>
public sealed record FaultAction
{
    internal enum Kind
    {
        Status,
        ResetBeforeBody,
        ResetMidBody,
        TruncateResponse,
        OkWithErrorBody,
        WrongChecksumBack,
        WrongETagBack,
        CorruptStored,
        Hang,
        Delay,
        ApplyThenReset,
    }

    private FaultAction(Kind kind) => What = kind;

    internal Kind What { get; }

    internal int StatusCode { get; private init; }

    internal string Code { get; private init; } = "";

    internal TimeSpan? Time { get; private init; }

    internal long Bytes { get; private init; }

    /// <summary>The connection is cut before the body is read.</summary>
    public static FaultAction ResetBeforeBody { get; } = new(Kind.ResetBeforeBody);

    /// <summary>The checksum in the answer (header or XML) is not the body's.</summary>
    public static FaultAction WrongChecksumBack { get; } = new(Kind.WrongChecksumBack);

    /// <summary>The ETag in the answer is not the object's.</summary>
    public static FaultAction WrongETagBack { get; } = new(Kind.WrongETagBack);

    /// <summary>
    /// A byte of the body is flipped behind the signature and before the checksums: a request that carries a checksum
    /// gets BadDigest, one that carries none gets 200 and the damage is stored.
    /// </summary>
    public static FaultAction CorruptStored { get; } = new(Kind.CorruptStored);

    /// <summary>No answer until the client leaves or the server is disposed.</summary>
    public static FaultAction Hang { get; } = new(Kind.Hang);

    /// <summary>The operation is done, then the connection is cut in place of the answer.</summary>
    public static FaultAction ApplyThenReset { get; } = new(Kind.ApplyThenReset);

    /// <summary>The body is read and this error answered, nothing is done.</summary>
    public static FaultAction Status(int status, string code, TimeSpan? retryAfter = null) =>
        new(Kind.Status) { StatusCode = status, Code = code, Time = retryAfter };

    /// <summary>The connection is cut when this many bytes of the body were read.</summary>
    public static FaultAction ResetMidBody(long afterBytes) => new(Kind.ResetMidBody) { Bytes = afterBytes };

    /// <summary>The whole Content-Length is promised and the connection cut after this many bytes.</summary>
    public static FaultAction TruncateResponse(long afterBytes) => new(Kind.TruncateResponse) { Bytes = afterBytes };

    /// <summary>200, white space to keep the connection, then an Error document: CompleteMultipartUpload and CopyObject really do this.</summary>
    public static FaultAction OkWithErrorBody(string code) => new(Kind.OkWithErrorBody) { Code = code };

    /// <summary>The operation is done after this time.</summary>
    public static FaultAction Delay(TimeSpan time) => new(Kind.Delay) { Time = time };

    public override string ToString() => What is Kind.Status ? $"Status {StatusCode} {Code}" : What.ToString();
}
