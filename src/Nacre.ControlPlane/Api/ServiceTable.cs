using Microsoft.AspNetCore.Http;
using Nacre.ControlPlane.Network;

namespace Nacre.ControlPlane.Api;

/// <summary>The services of one endpoint.</summary>
internal sealed class ServiceTable(FsxService fsx, Ec2Service ec2, StsService sts)
{
    /// <summary>
    /// Which one a request is for, by what a client of each sends. Nothing is proven: the signature has to be for the service that is found.
    /// </summary>
    public Service Find(HttpRequest request)
    {
        var isForm = request.ContentType?.StartsWith("application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase) == true;
        if (request.Headers.ContainsKey(FsxService.Target) || (!isForm && !HttpMethods.IsGet(request.Method))) return fsx;
        // The query protocol does not name the service, only the scope of the signature does.
        return request.Headers.Authorization.ToString().Contains("/ec2/aws4_request", StringComparison.Ordinal) ? ec2 : sts;
    }
}
