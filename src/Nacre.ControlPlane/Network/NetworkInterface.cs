namespace Nacre.ControlPlane.Network;

/// <summary>An elastic network interface, as EC2 describes those that FSx makes: one a file server.</summary>
/// <param name="Id"><c>eni-</c> and 17 hexadecimal digits.</param>
/// <param name="PrivateIpAddress">Where the file server is reached: what a client mounts.</param>
/// <param name="MacAddress">Six pairs of hexadecimal digits with colons.</param>
/// <param name="SecurityGroupIds">As given when the file system was made.</param>
/// <param name="OwnerId">Account; nobody else sees it.</param>
public sealed record NetworkInterface(
    string Id,
    string PrivateIpAddress,
    string MacAddress,
    string VpcId,
    string SubnetId,
    IReadOnlyList<string> SecurityGroupIds,
    string Description,
    string OwnerId);

/// <summary>Where the endpoint gets the network interfaces of file systems from.</summary>
public interface INetworkInterfaces
{
    /// <summary>Those of one account, in any order. Asked once a call.</summary>
    IReadOnlyCollection<NetworkInterface> List(string accountId);
}
