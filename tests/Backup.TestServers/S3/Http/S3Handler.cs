using Backup.TestServers.S3.Auth;
using Backup.TestServers.S3.Operations;

namespace Backup.TestServers.S3.Http;

/// <summary>A request's way: log, faults, signature, owner, operation, answer.</summary>
internal sealed class S3Handler(S3Services services)
{
    private static readonly Dictionary<string, Func<S3Call, Task>> Operations = new(StringComparer.Ordinal)
    {
        ["ListBuckets"] = BucketOperations.ListBuckets,
        ["CreateBucket"] = BucketOperations.CreateBucket,
        ["HeadBucket"] = BucketOperations.HeadBucket,
        ["DeleteBucket"] = BucketOperations.DeleteBucket,
        ["GetBucketLocation"] = BucketOperations.GetBucketLocation,
        ["GetBucketVersioning"] = BucketOperations.GetBucketVersioning,
        ["PutBucketVersioning"] = BucketOperations.PutBucketVersioning,
        ["GetBucketLifecycleConfiguration"] = BucketDocuments.Lifecycle.Get,
        ["PutBucketLifecycleConfiguration"] = BucketDocuments.Lifecycle.Put,
        ["DeleteBucketLifecycleConfiguration"] = BucketDocuments.Lifecycle.Delete,
        ["GetPublicAccessBlock"] = BucketDocuments.PublicAccessBlock.Get,
        ["PutPublicAccessBlock"] = BucketDocuments.PublicAccessBlock.Put,
        ["DeletePublicAccessBlock"] = BucketDocuments.PublicAccessBlock.Delete,
        ["GetBucketEncryption"] = BucketDocuments.Encryption.Get,
        ["PutBucketEncryption"] = BucketDocuments.Encryption.Put,
        ["DeleteBucketEncryption"] = BucketDocuments.Encryption.Delete,
        ["PutObject"] = ObjectWrites.PutObject,
        ["CopyObject"] = ObjectWrites.CopyObject,
        ["GetObject"] = ObjectReads.GetObject,
        ["HeadObject"] = ObjectReads.HeadObject,
        ["GetObjectAttributes"] = ObjectReads.GetObjectAttributes,
        ["DeleteObject"] = ObjectDeletes.DeleteObject,
        ["DeleteObjects"] = ObjectDeletes.DeleteObjects,
        ["GetObjectTagging"] = ObjectTagging.Get,
        ["PutObjectTagging"] = ObjectTagging.Put,
        ["DeleteObjectTagging"] = ObjectTagging.Delete,
        ["ListObjects"] = ObjectLists.ListObjects,
        ["ListObjectsV2"] = ObjectLists.ListObjectsV2,
        ["ListObjectVersions"] = ObjectLists.ListObjectVersions,
        ["CreateMultipartUpload"] = MultipartOperations.CreateMultipartUpload,
        ["UploadPart"] = MultipartOperations.UploadPart,
        ["UploadPartCopy"] = MultipartOperations.UploadPartCopy,
        ["AbortMultipartUpload"] = MultipartOperations.AbortMultipartUpload,
        ["CompleteMultipartUpload"] = MultipartCompletion.CompleteMultipartUpload,
        ["ListParts"] = MultipartLists.ListParts,
        ["ListMultipartUploads"] = MultipartLists.ListMultipartUploads,
        ["RestoreObject"] = RestoreOperations.RestoreObject,
    };

    private readonly Authenticator _authenticator = new(services.Options, services.Credentials, services.Clock);
    private long _requestId;

    public async Task HandleAsync(HttpContext http)
    {
        var headers = http.Response.Headers;
        headers.Server = "AmazonS3";
        headers.Date = services.Clock.Now.ToString("r");
        headers["x-amz-request-id"] = Interlocked.Increment(ref _requestId).ToString("X16");
        headers["x-amz-id-2"] = "strict-s3";
        S3Request request;
        try
        {
            request = S3Request.Parse(http);
        }
        catch (S3Error error)
        {
            http.Response.StatusCode = error.Status;
            await http.Response.Body.WriteAsync(S3Xml.Root("Error", withNamespace: false).Add("Code", error.Code).Add("Message", error.Message).ToBytes());
            return;
        }

        var call = Enter(request);
        try
        {
            await ServeAsync(call);
        }
        catch (ConnectionCutException)
        {
            http.Abort();
        }
        catch (OperationCanceledException)
        {
            http.Abort();
        }
        catch (IOException) when (http.RequestAborted.IsCancellationRequested)
        {
            // The client is gone: there is nobody to answer.
        }

        services.Answered?.Invoke(call.Record);
    }

    private S3Call Enter(S3Request request)
    {
        var record = new RequestRecord
        {
            Method = request.Method,
            Path = request.RawPath,
            Query = request.RawQuery,
            Operation = request.Operation,
            Bucket = request.Bucket,
            Key = request.Key,
            PartNumber = request.PartNumber,
            UploadId = request.UploadId,
            VersionId = request.VersionId,
            Headers = services.Options.Sink
                ? System.Collections.ObjectModel.ReadOnlyDictionary<string, string>.Empty
                : request.HeadersStarting("").Where(h => h.Key is not "authorization").ToDictionary(StringComparer.Ordinal),
        };
        if (!services.Options.Sink)
            services.Requests.Enqueue(record);
        var counter = services.Counters.GetOrAdd(request.Operation, _ => new OperationCounter());
        counter.Count();
        return new S3Call(request, services, record, counter, services.Faults.Take(record));
    }

    private async Task ServeAsync(S3Call call)
    {
        if (services.Options.Delay > TimeSpan.Zero)
            await Task.Delay(services.Options.Delay, call.Request.Http.RequestAborted);
        if (await FaultsAsync(call))
            return;
        try
        {
            await OperateAsync(call);
        }
        catch (S3Error error)
        {
            await call.RespondAsync(error);
        }
        catch (BadHttpRequestException) when (!call.Request.Http.Response.HasStarted)
        {
            await call.RespondAsync(S3Error.IncompleteBody());
        }

        if (call.SwallowsAnswer)
            call.Request.Http.Abort();
    }

    /// <returns>True when a fault has answered already.</returns>
    private async Task<bool> FaultsAsync(S3Call call)
    {
        foreach (var fault in call.Faults.Actions)
        {
            switch (fault.What)
            {
                case FaultAction.Kind.ResetBeforeBody:
                    throw new ConnectionCutException();
                case FaultAction.Kind.Hang:
                    using (var either = CancellationTokenSource.CreateLinkedTokenSource(call.Request.Http.RequestAborted, services.Stopping.Token))
                        await Task.Delay(Timeout.Infinite, either.Token);
                    break;
                case FaultAction.Kind.Delay:
                    await Task.Delay(fault.Time!.Value, call.Request.Http.RequestAborted);
                    break;
                case FaultAction.Kind.Status:
                    await call.Body.CopyToAsync(Stream.Null);
                    if (fault.Time is { } retryAfter)
                        call.SetHeader("Retry-After", ((int)Math.Ceiling(retryAfter.TotalSeconds)).ToString());
                    await call.RespondAsync(new S3Error(fault.StatusCode, fault.Code, Message(fault.Code)));
                    return true;
                case FaultAction.Kind.OkWithErrorBody:
                    await call.Body.CopyToAsync(Stream.Null);
                    await call.RespondOkWithErrorAsync(fault.Code);
                    return true;
            }
        }

        return false;
    }

    private async Task OperateAsync(S3Call call)
    {
        var (request, options) = (call.Request, services.Options);
        if (!options.Sink)
        {
            call.Signing = _authenticator.Authenticate(request);
            if (request.Header("x-amz-expected-bucket-owner") is { } owner && !owner.Equals(options.AccountId, StringComparison.Ordinal))
                throw S3Error.AccessDenied();
            if (services.Deny?.Invoke(call.Record) is true)
                throw S3Error.AccessDenied();
        }
        else if (request.Header("x-amz-content-sha256") is { } payload)
        {
            // Only the encoding matters: chunks are taken off, their signatures are not looked at.
            call.Signing = new PayloadSigning(payload.StartsWith("STREAMING-", StringComparison.Ordinal) ? PayloadSigning.UnsignedChunksWithTrailer : PayloadSigning.UnsignedPayload);
        }

        if (options.RejectChecksumHeaders)
            RejectChecksums(call);
        if (!Operations.TryGetValue(request.Operation, out var operation))
        {
            throw request.Operation is "NotImplemented"
                ? new S3Error(501, "NotImplemented", "A header or query you provided requested a function that is not implemented.")
                : S3Error.MethodNotAllowed(request.Method);
        }

        await operation(call);
    }

    private static void RejectChecksums(S3Call call)
    {
        foreach (var (name, _) in call.Request.HeadersStarting("x-amz-"))
        {
            if (name is not "x-amz-checksum-mode" && (name.StartsWith("x-amz-checksum-", StringComparison.Ordinal) || name is "x-amz-sdk-checksum-algorithm" or "x-amz-trailer"))
                throw S3Error.NotImplemented(name);
        }
    }

    private static string Message(string code) => code switch
    {
        "SlowDown" => "Please reduce your request rate.",
        "InternalError" => "We encountered an internal error. Please try again.",
        "ServiceUnavailable" => "Service is unable to handle request.",
        "AccessDenied" => "Access Denied",
        _ => "A scripted fault.",
    };
}
