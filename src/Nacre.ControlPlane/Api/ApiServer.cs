using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Nacre.ControlPlane.Audit;
using Nacre.ControlPlane.Auth;
using Nacre.ControlPlane.Network;
using Nacre.Server.Node;

namespace Nacre.ControlPlane.Api;

public sealed record ApiServerOptions
{
    public ApiUrl Url { get; init; } = ApiUrl.Parse(ApiUrl.Default);

    /// <summary>PEM with the chain, or PFX without a password; for <c>https</c>.</summary>
    public string? CertificateFile { get; init; }

    /// <summary>PEM; null where the certificate file holds the key too.</summary>
    public string? CertificateKeyFile { get; init; }

    /// <summary>Operations of FSx; one that is not among them is unknown.</summary>
    public required IEnumerable<Operation> Operations { get; init; }

    public required CredentialStore Credentials { get; init; }

    public required AuditLog Audit { get; init; }

    public required INetworkInterfaces NetworkInterfaces { get; init; }

    /// <summary>Part of the ARNs. Requests may be signed for any region.</summary>
    public string Region { get; init; } = "us-east-1";

    public ApiLimits Limits { get; init; } = new();
}

/// <summary>
/// The endpoint that AWS tools talk to: FSx, and the few calls of EC2 and STS that belong to it. Runs in the process of a node: it is Kestrel alone, which takes no
/// signals, reads no environment and writes no console.
/// </summary>
public sealed class ApiServer : IAsyncDisposable
{
    // Holds Kestrel and what Kestrel needs. Never run, so that nothing else of it comes to life.
    private readonly WebApplication _host;
    private readonly IServer _server;
    private readonly CancellationTokenSource _stop;
    private readonly ApiLimits _limits;
    private int _isDisposed;

    private ApiServer(WebApplication host, IServer server, CancellationTokenSource stop, ApiLimits limits)
    {
        (_host, _server, _stop, _limits) = (host, server, stop, limits);
        Url = new Uri(server.Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.Single());
    }

    /// <summary>Where it listens, with the port it has got.</summary>
    public Uri Url { get; }

    /// <summary>On return it answers.</summary>
    /// <exception cref="NodeConfigurationException">The address is taken, the certificate unusable, or the keys are not to be used beyond this machine.</exception>
    public static async Task<ApiServer> StartAsync(
        ApiServerOptions options, TimeProvider time, ILoggerFactory logging, CancellationToken cancellationToken)
    {
        if (!options.Url.IsLoopback && options.Credentials.IsNew)
        {
            throw new NodeConfigurationException(
                $"the API does not listen at {options.Url}, which other machines reach, with keys nobody has decided on: look at {options.Credentials.Path} and start again");
        }

        var host = Host(options, new LimitedLoggerFactory(logging, time));
        var server = host.Services.GetRequiredService<IServer>();
        var stop = new CancellationTokenSource();
        var log = logging.CreateLogger<ApiServer>();
        try
        {
            await server.StartAsync(new Application(Handler(options, time, log, stop.Token)), cancellationToken);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            await host.DisposeAsync();
            stop.Dispose();
            throw new NodeConfigurationException($"the API cannot listen at {options.Url}: {e.Message}", e);
        }

        var api = new ApiServer(host, server, stop, options.Limits);
        Log.Listening(log, api.Url, options.Credentials.Path);
        if (!options.Url.IsLoopback && !options.Url.IsHttps) Log.OpenWithoutTls(log, api.Url);
        return api;
    }

    /// <summary>Takes no more calls, gives those under way time to finish, then ends them.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0) return;
        using (var patience = new CancellationTokenSource(_limits.StopTime))
        {
            await using var giveUp = patience.Token.Register(_stop.Cancel);
            await _server.StopAsync(patience.Token);
        }

        await _stop.CancelAsync();
        await _host.DisposeAsync();
        _stop.Dispose();
    }

    private static RequestHandler Handler(ApiServerOptions options, TimeProvider time, ILogger log, CancellationToken stop) => new(
        new ServiceTable(
            new FsxService(options.Operations, options.Region, options.Limits),
            new Ec2Service(options.NetworkInterfaces),
            new StsService()),
        new RequestVerifier(options.Credentials, time),
        new BodyReader(options.Limits),
        options.Audit,
        time,
        log,
        stop);

    private static WebApplication Host(ApiServerOptions options, LimitedLoggerFactory logging)
    {
        var certificate = options.Url.IsHttps ? Certificate.Load(options.CertificateFile, options.CertificateKeyFile) : null;
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton<ILoggerFactory>(logging);
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            Apply(options.Limits, kestrel.Limits);
            kestrel.Listen(options.Url.EndPoint, listen =>
            {
                // HTTP/2 without TLS would need to be known beforehand; no AWS client uses it.
                listen.Protocols = certificate is null ? HttpProtocols.Http1 : HttpProtocols.Http1AndHttp2;
                if (certificate is not null) listen.UseHttps(certificate);
            });
        });
        return builder.Build();
    }

    private static void Apply(ApiLimits limits, KestrelServerLimits kestrel)
    {
        kestrel.MaxConcurrentConnections = limits.Connections;
        kestrel.MaxRequestBodySize = Math.Max(limits.BodyBytes, limits.SkippedBytes);
        kestrel.MaxRequestHeadersTotalSize = limits.HeaderBytes;
        kestrel.MaxRequestHeaderCount = limits.Headers;
        kestrel.RequestHeadersTimeout = limits.HeadersTime;
        kestrel.KeepAliveTimeout = limits.KeepAlive;
        kestrel.Http2.MaxStreamsPerConnection = limits.StreamsPerConnection;
    }

    /// <summary>Kestrel's view of the endpoint.</summary>
    private sealed class Application(RequestHandler handler) : IHttpApplication<HttpContext>
    {
        public HttpContext CreateContext(IFeatureCollection contextFeatures) => new DefaultHttpContext(contextFeatures);

        public Task ProcessRequestAsync(HttpContext context) => handler.HandleAsync(context);

        public void DisposeContext(HttpContext context, Exception? exception)
        {
        }
    }
}
