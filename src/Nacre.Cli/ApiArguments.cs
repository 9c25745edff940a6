using System.CommandLine;
using System.Net;
using Nacre.ControlPlane;
using Nacre.ControlPlane.Api;
using Nacre.ControlPlane.Reconciler;
using Nacre.Server.Node;

namespace Nacre.Cli;

/// <summary>Options of <c>nacre up</c> that are about the API.</summary>
internal sealed class ApiArguments
{
    private const string None = "none";

    private readonly Option<string?> _api = new("--api")
    {
        Description = $"Where the FSx API listens; none for no API. {ApiUrl.Default} by default, or another port where that one is taken.",
        HelpName = "URL",
    };

    private readonly Option<string?> _certificate = new("--api-certificate") { Description = "Certificate for an https URL: PEM, or PFX without a password.", HelpName = "FILE" };
    private readonly Option<string?> _certificateKey = new("--api-certificate-key") { Description = "Its key, where that is in a file of its own: PEM.", HelpName = "FILE" };
    private readonly Option<string?> _credentials = new("--credentials") { Description = "Keys of the API; DIR/credentials by default, which is made with one key.", HelpName = "FILE" };
    private readonly Option<string> _region = new("--region") { Description = "Region that resources say they are in.", DefaultValueFactory = _ => "us-east-1", HelpName = "REGION" };
    private readonly Option<string?> _dnsSuffix = new("--dns-suffix")
    {
        Description = "Domain in which a name service of yours resolves FILE-SYSTEM-ID.DOMAIN to the address clients mount.",
        HelpName = "DOMAIN",
    };

    private readonly Option<string?> _advertise = new("--advertise") { Description = "Address to tell to clients, where it is not that of the NID.", HelpName = "IP" };
    private readonly Option<double?> _transition = new("--transition-seconds")
    {
        Description = "Least time in each of the states CREATING, PENDING, IN_PROGRESS, UPDATED_OPTIMIZING and DELETING; a fraction of a second by default.",
        HelpName = "SECONDS",
    };

    public IEnumerable<Option> All => [_api, _certificate, _certificateKey, _credentials, _region, _dnsSuffix, _advertise, _transition];

    /// <returns>Null for no API.</returns>
    /// <exception cref="NodeConfigurationException">An option has no meaning; one line.</exception>
    public ControlPlaneOptions? Read(ParseResult parsed, string dataFolder)
    {
        var api = parsed.GetValue(_api);
        if (api == None)
        {
            return null;
        }

        return new ControlPlaneOptions
        {
            DataFolder = dataFolder,
            Url = ApiUrl.Parse(api ?? ApiUrl.Default),
            MayMove = api is null,
            CertificateFile = parsed.GetValue(_certificate),
            CertificateKeyFile = parsed.GetValue(_certificateKey),
            CredentialsFile = parsed.GetValue(_credentials),
            Settings = new ControlPlaneSettings { Region = parsed.GetValue(_region)!, DnsSuffix = parsed.GetValue(_dnsSuffix) },
            Advertise = Address(parsed.GetValue(_advertise)),
            Times = Times(parsed.GetValue(_transition)),
        };
    }

    private static IPAddress? Address(string? text) => text is null
        ? null
        : IPAddress.TryParse(text, out var address) && address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork
            ? address
            : throw new NodeConfigurationException($"--advertise {text}: an IPv4 address is needed");

    private static TransitionTimes Times(double? seconds) => seconds switch
    {
        null => TransitionTimes.Default,
        >= 0 and <= 86400 => TransitionTimes.All(TimeSpan.FromSeconds(seconds.Value)),
        _ => throw new NodeConfigurationException("--transition-seconds: a number from 0 to 86400 is needed"),
    };
}
