using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using Nacre.ControlPlane.Audit;
using Nacre.ControlPlane.Auth;

namespace Nacre.ControlPlane.Api;

/// <summary>
/// Takes a request from HTTP to its answer: which service, who calls, run, answer, audit. Every failure ends here as an answer of the service.
/// </summary>
internal sealed class RequestHandler(
    ServiceTable services, RequestVerifier verifier, BodyReader bodies, AuditLog audit, TimeProvider time, ILogger log, CancellationToken stop)
{
    private const string RequestIdHeader = "x-amzn-RequestId";

    private static readonly byte[] Greeting = Encoding.UTF8.GetBytes(
        "Nacre: an FSx for Lustre API endpoint. It is for AWS tools: aws --endpoint-url <this address> fsx describe-file-systems\n");

    public async Task HandleAsync(HttpContext http)
    {
        var call = new Call(Guid.NewGuid().ToString(), http.Connection.RemoteIpAddress?.ToString() ?? "");
        http.Response.Headers[RequestIdHeader] = call.RequestId;
        var (path, query) = Target(http);
        if (HttpMethods.IsGet(http.Request.Method) || HttpMethods.IsHead(http.Request.Method))
        {
            if (path == "/" && !query.Contains("Action=", StringComparison.Ordinal))
            {
                await WriteAsync(http, 200, "text/plain; charset=utf-8", Greeting);
                return;
            }
        }

        await AnswerAsync(http, path, query, call, services.Find(http.Request));
    }

    private async Task AnswerAsync(HttpContext http, string path, string query, Call call, Service service)
    {
        var started = time.GetTimestamp();
        var (answer, error) = await TryRunAsync(http, path, query, call, service);
        await AuditAsync(call, service, error, time.GetElapsedTime(started));
        if (error is null)
        {
            await WriteAsync(http, 200, service.ContentType, answer);
            return;
        }

        http.Response.Headers["x-amzn-ErrorType"] = error.Code;
        // What is left of the body would be taken for the next request, or waited for.
        if (error.Status == 408 || error.Code == "MalformedHttpRequestException") http.Response.Headers.Connection = "close";
        await WriteAsync(http, error.Status, service.ContentType, service.WriteError(error, call.RequestId));
    }

    private async Task<(byte[] Answer, ApiException? Error)> TryRunAsync(HttpContext http, string path, string query, Call call, Service service)
    {
        try
        {
            return (await RunAsync(http, path, query, call, service), null);
        }
        catch (ApiException e)
        {
            return ([], e);
        }
        catch (AuthenticationException e)
        {
            call.ClaimedKeyId = e.ClaimedKeyId;
            return ([], service.Translate(e));
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return ([], new ApiException("ServiceUnavailable", "The endpoint is being stopped.", 503));
        }
        catch (Exception e) when (http.RequestAborted.IsCancellationRequested && e is OperationCanceledException or IOException)
        {
            // Nobody reads this; it is for the audit log.
            return ([], new ApiException("RequestAborted", "The caller went away.", 499));
        }
        catch (Exception e)
        {
            Log.CallFailed(log, service.SigningName, call.Operation, call.RequestId, e);
            return ([], new ApiException("InternalFailure", $"The request failed inside the server, whose log says why under {call.RequestId}.", 500));
        }
    }

    private async Task<byte[]> RunAsync(HttpContext http, string path, string query, Call call, Service service)
    {
        if (path != "/") throw new ApiException("UnknownOperationException", "There is nothing but / here.", 404);
        if (!HttpMethods.IsPost(http.Request.Method) && !HttpMethods.IsGet(http.Request.Method))
            throw new ApiException("UnknownOperationException", "Only POST is served.", 405);
        using var reading = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, stop);
        using var body = await bodies.ReadAsync(http.Request, reading.Token);
        var request = new SignedRequest(http.Request.Method, path, query, http.Request.Headers, body.Bytes);
        call.Operation = service.OperationOf(request);
        call.Key = verifier.Verify(request, service.SigningName);
        return await service.RunAsync(request, call, new CallTokens(reading.Token, stop));
    }

    private ValueTask AuditAsync(Call call, Service service, ApiException? error, TimeSpan duration)
    {
        var record = new AuditRecord
        {
            Time = time.GetUtcNow(),
            RequestId = call.RequestId,
            AccountId = call.Key?.AccountId,
            AccessKeyId = call.Key?.Id ?? call.ClaimedKeyId,
            Source = call.Source,
            Service = service.SigningName,
            Operation = call.Operation,
            ResourceId = call.ResourceId,
            Outcome = error?.Code ?? "OK",
            Status = error?.Status ?? 200,
            Duration = duration,
        };
        return call.Key is null ? audit.WriteFailedAuthenticationAsync(record) : audit.WriteAsync(record);
    }

    /// <summary>The target as it was sent, since that is what was signed.</summary>
    private static (string Path, string Query) Target(HttpContext http)
    {
        var target = http.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        var question = target.IndexOf('?');
        return question < 0 ? (target, "") : (target[..question], target[(question + 1)..]);
    }

    private static async Task WriteAsync(HttpContext http, int status, string contentType, byte[] body)
    {
        var response = http.Response;
        response.StatusCode = status;
        response.ContentType = contentType;
        response.Headers.ContentLength = body.Length;
        response.Headers.CacheControl = "no-store";
        try
        {
            if (!HttpMethods.IsHead(http.Request.Method)) await response.Body.WriteAsync(body, http.RequestAborted);
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
        {
            // The caller has gone.
        }
    }
}
