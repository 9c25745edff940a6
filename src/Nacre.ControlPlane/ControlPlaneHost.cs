using System.Net;
using Microsoft.Extensions.Logging;
using Nacre.ControlPlane.Api;
using Nacre.ControlPlane.Audit;
using Nacre.ControlPlane.Auth;
using Nacre.ControlPlane.Catalog;
using Nacre.ControlPlane.Client;
using Nacre.ControlPlane.DataPlane;
using Nacre.ControlPlane.Network;
using Nacre.ControlPlane.Operations;
using Nacre.ControlPlane.Reconciler;
using Nacre.Server.Node;

namespace Nacre.ControlPlane;

/// <summary>
/// The control plane of a node, put together: the endpoint takes calls and writes what is wanted into the catalog, the reconciler makes the node's servers
/// follow. The one place that knows all of its parts.
/// </summary>
public sealed partial class ControlPlaneHost : IAsyncDisposable
{
    private const string CatalogName = "catalog.db";

    private readonly ControlPlaneOptions _options;
    private readonly ResourceCatalog _catalog;
    private readonly FileSystemReconciler _reconciler;
    private readonly AuditLog _audit;
    private readonly CredentialStore _credentials;
    private ApiServer? _api;

    private ControlPlaneHost(
        ControlPlaneOptions options, CredentialStore credentials, ResourceCatalog catalog, IDataPlane plane, TimeProvider time, ILoggerFactory logging)
    {
        (_options, _credentials, _catalog) = (options, credentials, catalog);
        _reconciler = new FileSystemReconciler(
            catalog, plane, new ReconcilerOptions { Times = options.Times }, time, logging.CreateLogger<FileSystemReconciler>());
        _audit = new AuditLog(new AuditOptions(Path.Combine(options.DataFolder, AuditOptions.FolderName)), time, logging);
    }

    /// <summary>Where the API listens, with the port it has got.</summary>
    public Uri Url => _api?.Url ?? throw new InvalidOperationException("not started");

    /// <summary>The commands that set up the AWS command line; none when the keys were there before.</summary>
    public IReadOnlyList<string> ConfigureLines => _credentials.IsNew ? _credentials.ConfigureLines(Url, _options.Settings.Region) : [];

    /// <summary>On return the API answers. Disposed before its node.</summary>
    /// <exception cref="NodeConfigurationException">It cannot be started as asked; one line.</exception>
    public static async Task<ControlPlaneHost> StartAsync(
        ControlPlaneOptions options, NacreNode node, TimeProvider time, ILoggerFactory logging, CancellationToken cancellationToken)
    {
        var plane = new NodeDataPlane(node, options.Advertise, logging.CreateLogger<NodeDataPlane>());
        var credentials = CredentialStore.Open(
            options.CredentialsFile ?? Path.Combine(options.DataFolder, CredentialStore.FileName), options.Url.IsLoopback, logging);
        var host = new ControlPlaneHost(options, credentials, OpenCatalog(options, time, logging), plane, time, logging);
        try
        {
            host._api = await host.ListenAsync(plane, time, logging, cancellationToken);
            host._reconciler.Start();
            ApiAddress.Write(options.DataFolder, host.Url);
            return host;
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }
    }

    /// <summary>Takes no more calls, ends those under way, then the work for them; the rest is for the next start.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_api is { } api)
        {
            ApiAddress.Remove(_options.DataFolder);
            await api.DisposeAsync();
        }

        await _reconciler.DisposeAsync();
        await _audit.DisposeAsync();
        _catalog.Dispose();
    }

    private static ResourceCatalog OpenCatalog(ControlPlaneOptions options, TimeProvider time, ILoggerFactory logging)
    {
        try
        {
            return ResourceCatalog.Open(Path.Combine(options.DataFolder, CatalogName), time, logging.CreateLogger<ResourceCatalog>());
        }
        catch (CatalogException e)
        {
            throw new NodeConfigurationException(e.Message, e);
        }
    }

    private async Task<ApiServer> ListenAsync(IDataPlane plane, TimeProvider time, ILoggerFactory logging, CancellationToken cancellationToken)
    {
        var server = new ApiServerOptions
        {
            Url = _options.Url,
            CertificateFile = _options.CertificateFile,
            CertificateKeyFile = _options.CertificateKeyFile,
            Operations = FsxOperations.All(new OperationServices(_catalog, plane, time, _options.Settings)),
            Credentials = _credentials,
            Audit = _audit,
            NetworkInterfaces = new CatalogInterfaces(_catalog, plane),
            Region = _options.Settings.Region,
        };
        try
        {
            return await ApiServer.StartAsync(server, time, logging, cancellationToken);
        }
        catch (NodeConfigurationException e) when (_options.MayMove && IsTaken(e))
        {
            // Another node of this machine has it. Commands find this one by its data folder, people by what it prints.
            LogMoved(logging.CreateLogger<ControlPlaneHost>(), _options.Url);
            var elsewhere = _options.Url with { EndPoint = new IPEndPoint(_options.Url.EndPoint.Address, 0) };
            return await ApiServer.StartAsync(server with { Url = elsewhere }, time, logging, cancellationToken);
        }
    }

    private static bool IsTaken(NodeConfigurationException e) =>
        e.InnerException is IOException { InnerException: Microsoft.AspNetCore.Connections.AddressInUseException }
            or Microsoft.AspNetCore.Connections.AddressInUseException;

    [LoggerMessage(5120, LogLevel.Warning, "{Url} is taken by another process: the API takes another port")]
    private static partial void LogMoved(ILogger log, ApiUrl url);
}
