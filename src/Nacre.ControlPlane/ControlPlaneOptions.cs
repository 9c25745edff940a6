using System.Net;
using Nacre.ControlPlane.Api;
using Nacre.ControlPlane.Reconciler;

namespace Nacre.ControlPlane;

/// <summary>How the control plane of a node is started.</summary>
public sealed record ControlPlaneOptions
{
    /// <summary>The node's: catalog, keys and audit log are below it, where nothing else is said.</summary>
    public required string DataFolder { get; init; }

    public ApiUrl Url { get; init; } = ApiUrl.Parse(ApiUrl.Default);

    /// <summary>Take a free port where that of <see cref="Url"/> is taken: nobody has asked for that one.</summary>
    public bool MayMove { get; init; }

    /// <summary>For https: <see cref="ApiServerOptions.CertificateFile"/>.</summary>
    public string? CertificateFile { get; init; }

    public string? CertificateKeyFile { get; init; }

    /// <summary>Null for the one in the data folder.</summary>
    public string? CredentialsFile { get; init; }

    /// <summary>Region, names and quotas.</summary>
    public ControlPlaneSettings Settings { get; init; } = new();

    /// <summary>Address to tell to clients; null for the node's.</summary>
    public IPAddress? Advertise { get; init; }

    public TransitionTimes Times { get; init; } = TransitionTimes.Default;
}
