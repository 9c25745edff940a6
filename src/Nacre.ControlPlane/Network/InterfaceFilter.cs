using System.IO.Enumeration;
using Nacre.ControlPlane.Api;

namespace Nacre.ControlPlane.Network;

/// <summary>
/// A filter of DescribeNetworkInterfaces: one of the values has to fit, in which <c>*</c> stands for any text, <c>?</c> for one character, and a backslash
/// takes a character as it is.
/// </summary>
internal sealed record InterfaceFilter(Func<NetworkInterface, IEnumerable<string>> Property, IReadOnlyList<string> Values)
{
    /// <summary>EC2's own bound.</summary>
    private const int MaxValues = 200;

    /// <exception cref="ApiException">A filter is not known, has no value, or too many.</exception>
    public static List<InterfaceFilter> ReadAll(QueryRequest query)
    {
        var filters = new List<InterfaceFilter>();
        while (query[$"Filter.{filters.Count + 1}.Name"] is { } name)
        {
            var values = query.List($"Filter.{filters.Count + 1}.Value");
            if (values.Count is 0 or > MaxValues)
                throw new ApiException("InvalidParameterValue", $"The filter '{name}' needs 1 to {MaxValues} values");
            filters.Add(new InterfaceFilter(PropertyOf(name), values));
        }

        return filters;
    }

    public static bool IsId(string text) =>
        text.Length is >= 12 and <= 64 && text.StartsWith("eni-", StringComparison.Ordinal)
        && text.AsSpan(4).IndexOfAnyExcept("0123456789abcdef") < 0;

    // The matcher does not backtrack, so no pattern takes it long.
    public bool Matches(NetworkInterface item) =>
        Property(item).Any(property => Values.Any(value => FileSystemName.MatchesSimpleExpression(value, property, ignoreCase: false)));

    private static Func<NetworkInterface, IEnumerable<string>> PropertyOf(string name) => name switch
    {
        "network-interface-id" => i => [i.Id],
        "vpc-id" => i => [i.VpcId],
        "subnet-id" => i => [i.SubnetId],
        "group-id" => i => i.SecurityGroupIds,
        "private-ip-address" or "addresses.private-ip-address" => i => [i.PrivateIpAddress],
        "mac-address" => i => [i.MacAddress],
        "owner-id" => i => [i.OwnerId],
        "description" => i => [i.Description],
        "status" => _ => ["in-use"],
        "interface-type" => _ => ["interface"],
        _ => throw new ApiException("InvalidParameterValue", $"The filter '{name}' is invalid"),
    };
}
