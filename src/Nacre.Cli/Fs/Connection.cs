using System.CommandLine;
using Nacre.ControlPlane.Auth;
using Nacre.ControlPlane.Client;

namespace Nacre.Cli.Fs;

/// <summary>
/// Which API a command talks to, and as whom: options first, then the folder of a node of this machine, then the environment and the files of the AWS
/// tools.
/// </summary>
internal sealed class Connection
{
    private const string DefaultEndpoint = "http://127.0.0.1:8988";
    private const string DefaultRegion = "us-east-1";
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly Option<string?> _data = new("--data")
    {
        Description = "Folder of a node on this machine: its API and its first key.",
        HelpName = "DIR",
        Recursive = true,
    };

    private readonly Option<string?> _endpoint = new("--endpoint-url")
    {
        Description = $"Where the API is; {DefaultEndpoint} unless the environment or the profile says otherwise. AWS: https://fsx.REGION.amazonaws.com",
        HelpName = "URL",
        Recursive = true,
    };

    private readonly Option<string?> _region = new("--region") { Description = $"Region requests are signed for; {DefaultRegion} by default.", HelpName = "REGION", Recursive = true };

    private readonly Option<string?> _credentials = new("--credentials")
    {
        Description = "File with keys, in the form of ~/.aws/credentials.",
        HelpName = "FILE",
        Recursive = true,
    };

    private readonly Option<string?> _profile = new("--profile") { Description = "Which key of the file.", HelpName = "NAME", Recursive = true };

    public IEnumerable<Option> Options => [_data, _endpoint, _region, _credentials, _profile];

    /// <exception cref="FsxException">There is no key, or a file cannot be read; one line.</exception>
    public FsxClient Open(ParseResult parsed)
    {
        var data = parsed.GetValue(_data);
        var profile = parsed.GetValue(_profile);
        var configuration = data is null ? Configuration(profile) : null;
        var endpoint = parsed.GetValue(_endpoint) ?? (data is null ? EndpointOf(configuration) : ApiAddress.Read(data)) ?? DefaultEndpoint;
        if (!Uri.TryCreate(endpoint, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https"))
        {
            throw new FsxException(null, $"'{endpoint}' is no URL of an API");
        }

        var region = parsed.GetValue(_region) ?? Variable("AWS_REGION") ?? Variable("AWS_DEFAULT_REGION")
            ?? configuration?.GetValueOrDefault("region") ?? DefaultRegion;
        var credentials = Credentials(parsed.GetValue(_credentials) ?? (data is null ? null : Path.Combine(data, CredentialStore.FileName)), profile);
        return new FsxClient(new HttpClient { Timeout = Patience }, url, region, credentials, TimeProvider.System);
    }

    private static string? EndpointOf(IReadOnlyDictionary<string, string>? configuration) =>
        Variable("AWS_ENDPOINT_URL_FSX") ?? Variable("AWS_ENDPOINT_URL") ?? configuration?.GetValueOrDefault("endpoint_url");

    private static IReadOnlyDictionary<string, string>? Configuration(string? profile) =>
        AwsProfile.Read(Variable("AWS_CONFIG_FILE") ?? InHome("config"), profile ?? Variable("AWS_PROFILE") ?? "default");

    private static AwsCredentials Credentials(string? file, string? profile)
    {
        if (file is null && profile is null && Variable("AWS_ACCESS_KEY_ID") is { } id && Variable("AWS_SECRET_ACCESS_KEY") is { } secret)
        {
            return new AwsCredentials(id, secret, Variable("AWS_SESSION_TOKEN"));
        }

        // A file that was named has the key that is meant first; that of the AWS tools has one called so.
        return file is not null
            ? KeyIn(file, profile)
            : KeyIn(Variable("AWS_SHARED_CREDENTIALS_FILE") ?? InHome("credentials"), profile ?? Variable("AWS_PROFILE") ?? "default");
    }

    /// <param name="name">Null for the first key of the file.</param>
    /// <exception cref="FsxException">There is no such key, or the file cannot be read.</exception>
    public static AwsCredentials KeyIn(string path, string? name = null)
    {
        try
        {
            return AwsProfile.Read(path, name) is { } found
                && found.TryGetValue("aws_access_key_id", out var key) && found.TryGetValue("aws_secret_access_key", out var itsSecret)
                ? new AwsCredentials(key, itsSecret, found.GetValueOrDefault("aws_session_token"))
                : throw new FsxException(
                    null,
                    $"there is no key{(name is null ? "" : $" '{name}'")} in {path}: give --data DIR of a node, --credentials FILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FsxException(null, $"{path}: {e.Message}", e);
        }
    }

    private static string InHome(string file) => Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".aws", file);

    private static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
}
