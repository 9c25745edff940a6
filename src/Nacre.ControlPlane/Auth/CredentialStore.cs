using System.Text;
using Microsoft.Extensions.Logging;
using Nacre.Server.Node;

namespace Nacre.ControlPlane.Auth;

/// <summary>
/// The keys of a credentials file. A change of the file is seen by the next request; while the file is unusable, the keys of before are
/// kept. Safe for any thread.
/// </summary>
public sealed class CredentialStore
{
    /// <summary>Where the keys of a node are, below its data folder.</summary>
    public const string FileName = "credentials";

    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute
        | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    private readonly ILogger _log;
    private readonly Lock _reload = new();
    private volatile Loaded _loaded;

    private CredentialStore(string path, bool isNew, ILogger log)
    {
        Path = path;
        IsNew = isNew;
        _log = log;
        _loaded = new Loaded(Stamp.Of(path), Read(path));
    }

    public string Path { get; }

    /// <summary>The file did not exist before, and has one key now.</summary>
    public bool IsNew { get; }

    /// <summary>Keys by id.</summary>
    public IReadOnlyDictionary<string, AccessKey> Keys
    {
        get
        {
            Refresh();
            return _loaded.Keys;
        }
    }

    /// <summary>Reads the file; makes one with one key where there is none.</summary>
    /// <param name="mayCreate">False where the API is reachable from elsewhere: then somebody has to have decided on the keys.</param>
    /// <exception cref="NodeConfigurationException">The file is missing and may not be made, is unusable, or others may read it.</exception>
    public static CredentialStore Open(string path, bool mayCreate, ILoggerFactory logging)
    {
        path = System.IO.Path.GetFullPath(path);
        try
        {
            var isNew = !File.Exists(path);
            if (isNew && !mayCreate)
            {
                throw new NodeConfigurationException(
                    $"there is no credentials file {path}, and without one the API listens on this machine only: start once with a loopback address, which makes one");
            }

            if (isNew) Create(path);
            return new CredentialStore(path, isNew, logging.CreateLogger<CredentialStore>());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            throw new NodeConfigurationException($"credentials file {path}: {e.Message}", e);
        }
    }

    /// <summary>The key with this id, or null.</summary>
    public AccessKey? Find(string id) => Keys.GetValueOrDefault(id);

    /// <summary>
    /// The commands that set up the AWS command line for the first key of a new file. They read the secret out of the file, as what is printed may
    /// end up in a log.
    /// </summary>
    public IReadOnlyList<string> ConfigureLines(Uri endpoint, string region)
    {
        var file = $"'{Path.Replace("'", "'\\''", StringComparison.Ordinal)}'";
        return
        [
            $"aws configure set --profile nacre aws_access_key_id {_loaded.Keys.Keys.First()}",
            $"aws configure set --profile nacre aws_secret_access_key \"$(sed -n 's/^aws_secret_access_key = //p' {file})\"",
            $"aws configure set --profile nacre region {region}",
            $"aws configure set --profile nacre endpoint_url {endpoint.GetLeftPart(UriPartial.Authority)}",
        ];
    }

    private static void Create(string path)
    {
        using var file = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = Private,
        });
        file.Write(Encoding.UTF8.GetBytes(CredentialsFile.Write(CredentialsFile.NewKey("admin"))));
        file.Flush(flushToDisk: true);
    }

    private static IReadOnlyDictionary<string, AccessKey> Read(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        // Of the open file, so that it is the one that is read.
        var mode = File.GetUnixFileMode(file.SafeFileHandle);
        if ((mode & Others) != 0)
            throw new FormatException($"others may read it (mode {Convert.ToString((int)mode, 8)}); do: chmod 600 {path}");
        if (file.Length > CredentialsFile.MaxBytes) throw new FormatException($"it has more than {CredentialsFile.MaxBytes} bytes");
        using var reader = new StreamReader(file, new UTF8Encoding(false, throwOnInvalidBytes: true));
        try
        {
            return CredentialsFile.Parse(reader.ReadToEnd());
        }
        catch (DecoderFallbackException)
        {
            throw new FormatException("it is not text in UTF-8");
        }
    }

    private void Refresh()
    {
        if (Stamp.Of(Path) == _loaded.Stamp) return;
        lock (_reload)
        {
            // Taken before the reading: a change meanwhile is seen the next time.
            var stamp = Stamp.Of(Path);
            if (stamp == _loaded.Stamp) return;
            try
            {
                var keys = Read(Path);
                _loaded = new Loaded(stamp, keys);
                Log.CredentialsRead(_log, Path, keys.Count);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
            {
                // With the new stamp, so that this is said once a change and not once a request.
                _loaded = _loaded with { Stamp = stamp };
                Log.CredentialsKept(_log, Path, e.Message);
            }
        }
    }

    private sealed record Loaded(Stamp Stamp, IReadOnlyDictionary<string, AccessKey> Keys);

    /// <summary>Changes whenever the file does, and when it is made readable, as far as one call of the system tells.</summary>
    private readonly record struct Stamp(DateTime Written, long Length, UnixFileMode Mode)
    {
        public static Stamp Of(string path)
        {
            var file = new FileInfo(path);
            return file.Exists ? new Stamp(file.LastWriteTimeUtc, file.Length, file.UnixFileMode) : default;
        }
    }
}
