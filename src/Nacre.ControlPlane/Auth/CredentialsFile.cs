using System.Buffers;
using System.Security.Cryptography;
using System.Text;

namespace Nacre.ControlPlane.Auth;

/// <summary>
/// The text of a credentials file: the format of the AWS tools' own (<c>~/.aws/credentials</c>), so that they can be pointed at it, with two
/// settings more, which they ignore. Blank lines and lines that begin with <c>#</c> or <c>;</c> do not count.
/// <code>
/// [admin]
/// aws_access_key_id = AKIA...
/// aws_secret_access_key = ...
/// aws_account_id = 123456789012
/// read_only = true
/// description = nightly report
/// </code>
/// </summary>
internal static class CredentialsFile
{
    private const string KeyId = "aws_access_key_id";
    private const string Secret = "aws_secret_access_key";
    private const string AccountId = "aws_account_id";
    private const string ReadOnly = "read_only";
    private const string Description = "description";

    /// <summary>Which a person would want: more is another file by mistake.</summary>
    public const int MaxBytes = 1 << 20;

    private const string Letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    private static readonly SearchValues<char> WordCharacters = SearchValues.Create(Letters + "abcdefghijklmnopqrstuvwxyz0123456789_");
    // What IAM allows in a user name, as the name becomes part of an ARN.
    private static readonly SearchValues<char> NameCharacters = SearchValues.Create(Letters + "abcdefghijklmnopqrstuvwxyz0123456789_+=,.@-");

    /// <exception cref="FormatException">The message says what is wrong where, in words that hold no secret.</exception>
    public static IReadOnlyDictionary<string, AccessKey> Parse(string text)
    {
        var keys = new Dictionary<string, AccessKey>();
        foreach (var (name, line, settings) in Sections(text))
        {
            var key = Key(name, line, settings);
            if (!keys.TryAdd(key.Id, key)) throw new FormatException($"line {line}: the key {key.Id} is there twice");
        }

        return keys.Count > 0 ? keys : throw new FormatException("there is no key in it");
    }

    /// <summary>A random key in the form of AWS's: 20 characters, a secret of 40, and an account of its own.</summary>
    public static AccessKey NewKey(string name) => new(
        name,
        "AKIA" + RandomNumberGenerator.GetString(Letters + "234567", 16),
        RandomNumberGenerator.GetString(Letters + "abcdefghijklmnopqrstuvwxyz0123456789+/", 40),
        RandomNumberGenerator.GetString("123456789", 1) + RandomNumberGenerator.GetString("0123456789", 11),
        IsReadOnly: false);

    public static string Write(AccessKey key)
    {
        var text = new StringBuilder()
            .AppendLine("# Keys of Nacre's FSx API. May be edited while it runs; docs/api.md says how.")
            .AppendLine("# AWS tools read it too: AWS_SHARED_CREDENTIALS_FILE=<this file> AWS_PROFILE=<name>")
            .Append('[').Append(key.Name).AppendLine("]")
            .Append(KeyId).Append(" = ").AppendLine(key.Id)
            .Append(Secret).Append(" = ").AppendLine(key.Secret)
            .Append(AccountId).Append(" = ").AppendLine(key.AccountId);
        return text.ToString();
    }

    private static List<(string Name, int Line, Dictionary<string, string> Settings)> Sections(string text)
    {
        var sections = new List<(string, int, Dictionary<string, string>)>();
        var number = 0;
        foreach (var raw in text.Split('\n'))
        {
            number++;
            var line = raw.Trim();
            if (line.Length == 0 || line[0] is '#' or ';') continue;
            if (line[0] == '[')
            {
                sections.Add((Name(line, number, sections), number, []));
                continue;
            }

            if (sections.Count == 0) throw new FormatException($"line {number}: a line like [name] is needed before it");
            AddSetting(sections[^1].Item3, line, number);
        }

        return sections;
    }

    private static string Name(string line, int number, List<(string Name, int, Dictionary<string, string>)> others)
    {
        var name = line[^1] == ']' ? line[1..^1].Trim() : "";
        if (name.Length is 0 or > 64 || name.AsSpan().ContainsAnyExcept(NameCharacters))
            throw new FormatException($"line {number}: a name of 1 to 64 letters, digits and _+=,.@- is needed between [ and ]");
        if (others.Any(o => o.Name == name)) throw new FormatException($"line {number}: [{name}] is there twice");
        return name;
    }

    private static void AddSetting(Dictionary<string, string> settings, string line, int number)
    {
        var equals = line.IndexOf('=');
        // The line is not shown: it may be a secret that lost its name.
        if (equals < 0) throw new FormatException($"line {number}: a line like name = value is needed");
        var name = line[..equals].Trim();
        if (name is not (KeyId or Secret or AccountId or ReadOnly or Description))
            throw new FormatException($"line {number}: there is no such setting; known are {KeyId}, {Secret}, {AccountId}, {ReadOnly}, {Description}");
        if (!settings.TryAdd(name, line[(equals + 1)..].Trim())) throw new FormatException($"line {number}: {name} is there twice");
    }

    private static AccessKey Key(string name, int line, Dictionary<string, string> settings)
    {
        var id = Required(KeyId);
        if (id.Length is < 16 or > 128 || id.AsSpan().ContainsAnyExcept(WordCharacters))
            throw Bad(KeyId, "16 to 128 letters, digits and underscores");
        var secret = Required(Secret);
        if (secret.Length is < 16 or > 128 || secret.AsSpan().ContainsAnyExceptInRange('!', '~'))
            throw Bad(Secret, "16 to 128 visible ASCII characters");
        var account = Required(AccountId);
        if (account.Length != 12 || account.AsSpan().ContainsAnyExceptInRange('0', '9')) throw Bad(AccountId, "12 digits");
        var readOnly = settings.GetValueOrDefault(ReadOnly, "false");
        if (readOnly is not ("true" or "false")) throw Bad(ReadOnly, "true or false");
        return new AccessKey(name, id, secret, account, readOnly == "true", settings.GetValueOrDefault(Description));

        string Required(string setting) => settings.TryGetValue(setting, out var value)
            ? value
            : throw new FormatException($"line {line}: [{name}] has no {setting}");

        FormatException Bad(string setting, string wanted) => new($"line {line}: {setting} of [{name}] has to be {wanted}");
    }
}
