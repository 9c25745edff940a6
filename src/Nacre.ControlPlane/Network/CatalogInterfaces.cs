using System.Security.Cryptography;
using System.Text;
using Nacre.ControlPlane.Catalog;
using Nacre.ControlPlane.DataPlane;

namespace Nacre.ControlPlane.Network;

/// <summary>The network interfaces of the file systems in the catalog. All of them are the node: it serves every target under one address.</summary>
internal sealed class CatalogInterfaces(ResourceCatalog catalog, IDataPlane plane) : INetworkInterfaces
{
    /// <inheritdoc/>
    public IReadOnlyCollection<NetworkInterface> List(string accountId) =>
        [.. catalog.FileSystems.List(accountId).SelectMany(item => InterfacesOf(item.Entry))];

    private IEnumerable<NetworkInterface> InterfacesOf(FileSystemEntry entry)
    {
        var description = entry.Description;
        return (description.NetworkInterfaceIds ?? []).Select(id => new NetworkInterface(
            id,
            plane.Address,
            MacOf(id),
            description.VpcId ?? "",
            description.SubnetIds is [var subnet, ..] ? subnet : "",
            entry.SecurityGroupIds,
            $"Created by Amazon FSx for file system {description.FileSystemId}",
            description.OwnerId));
    }

    /// <summary>The same for an interface each time; locally administered, as its second digit says.</summary>
    private static string MacOf(string id)
    {
        var hash = SHA256.HashData(Encoding.ASCII.GetBytes(id));
        return $"02:{hash[0]:x2}:{hash[1]:x2}:{hash[2]:x2}:{hash[3]:x2}:{hash[4]:x2}";
    }
}
