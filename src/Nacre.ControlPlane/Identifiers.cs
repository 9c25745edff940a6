using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Nacre.ControlPlane;

/// <summary>Names of resources: random ones for what is made, derived ones for what has to be the same whenever it is asked for.</summary>
public static class Identifiers
{
    private const int Digits = 17;
    private const int MountNameLength = 8;
    private const string MountNameLetters = "abcdefghijklmnopqrstuvwxyz";
    private const string MountNameCharacters = MountNameLetters + "234567";

    /// <param name="prefix"><c>fs</c>, <c>backup</c>, <c>dra</c> or <c>task</c>.</param>
    /// <returns>The prefix, a dash, and 17 hexadecimal digits.</returns>
    public static string New(string prefix) => $"{prefix}-{RandomNumberGenerator.GetHexString(Digits, lowercase: true)}";

    /// <summary>8 characters, the first a letter.</summary>
    public static string NewMountName() =>
        RandomNumberGenerator.GetString(MountNameLetters, 1) + RandomNumberGenerator.GetString(MountNameCharacters, MountNameLength - 1);

    /// <summary>The network interface of a server of a file system.</summary>
    /// <param name="role"><c>mds</c> or <c>oss</c>.</param>
    public static string NetworkInterface(string fileSystemId, string role, int index) =>
        "eni-" + Hash(string.Create(CultureInfo.InvariantCulture, $"{fileSystemId}/{role}/{index}"))[..Digits];

    /// <summary>The VPC that a subnet is said to be in: subnets are names only here, but the same one has always the same VPC.</summary>
    public static string Vpc(string subnetId) => "vpc-" + Hash(subnetId)[..Digits];

    /// <param name="resource">For instance <c>file-system/fs-0123456789abcdef0</c>.</param>
    public static string Arn(ControlPlaneSettings settings, string account, string resource) =>
        $"arn:{settings.Partition}:fsx:{settings.Region}:{account}:{resource}";

    /// <summary>The ARN under which a key is answered. Ids and aliases become the ARN of a key of the account, the same each time.</summary>
    /// <param name="key">A key ARN, alias ARN, key id or <c>alias/NAME</c>; null for the account's default key of FSx.</param>
    public static string KeyArn(ControlPlaneSettings settings, string account, string? key)
    {
        key ??= "alias/aws/fsx";
        if (key.StartsWith("arn:", StringComparison.Ordinal) && !key.Contains(":alias/", StringComparison.Ordinal))
        {
            return key;
        }
        int alias = key.IndexOf("alias/", StringComparison.Ordinal);
        string id = alias < 0 ? key : KeyId($"{settings.Region}/{account}/{key[alias..]}");
        return $"arn:{settings.Partition}:kms:{settings.Region}:{account}:key/{id}";
    }

    /// <summary>A weekly time <c>d:HH:MM</c> for a file system that was given none, spread over the week by its id.</summary>
    public static string WeeklyTime(string fileSystemId)
    {
        int halfHour = Spread(fileSystemId, 7 * 48);
        return string.Create(CultureInfo.InvariantCulture, $"{halfHour / 48 + 1}:{halfHour % 48 / 2:D2}:{halfHour % 2 * 30:D2}");
    }

    /// <summary>A daily time <c>HH:MM</c>, likewise.</summary>
    public static string DailyTime(string fileSystemId)
    {
        int halfHour = Spread(fileSystemId, 48);
        return string.Create(CultureInfo.InvariantCulture, $"{halfHour / 2:D2}:{halfHour % 2 * 30:D2}");
    }

    private static int Spread(string text, int over) => (int)(Convert.ToUInt32(Hash(text)[..8], 16) % (uint)over);

    private static string KeyId(string name) => new Guid(Convert.FromHexString(Hash(name)[..32])).ToString("D");

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
