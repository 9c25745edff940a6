using System.Net;
using Nacre.Server.Node;

namespace Nacre.ControlPlane.Api;

/// <summary>Where the endpoint listens.</summary>
/// <param name="EndPoint">Port 0 for any free one.</param>
public sealed record ApiUrl(bool IsHttps, IPEndPoint EndPoint)
{
    public const string Default = "http://127.0.0.1:8988";

    /// <summary>Reachable from this machine only.</summary>
    public bool IsLoopback => IPAddress.IsLoopback(EndPoint.Address);

    /// <param name="text"><c>http://</c> or <c>https://</c>, an address of this machine or <c>localhost</c>, and a port.</param>
    /// <exception cref="NodeConfigurationException">It is something else.</exception>
    public static ApiUrl Parse(string text)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https")
            || url.PathAndQuery != "/" || url.UserInfo.Length > 0 || url.Fragment.Length > 0)
        {
            throw Bad(text);
        }

        var host = url.DnsSafeHost;
        var address = host == "localhost" ? IPAddress.Loopback : IPAddress.TryParse(host, out var parsed) ? parsed : throw Bad(text);
        return new ApiUrl(url.Scheme == "https", new IPEndPoint(address, url.Port));
    }

    public override string ToString() => $"{(IsHttps ? "https" : "http")}://{EndPoint}";

    private static NodeConfigurationException Bad(string text) =>
        new($"'{text}' is no URL to listen at: an address of this machine and a port are needed, for instance {Default}");
}
