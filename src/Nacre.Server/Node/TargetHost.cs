using Microsoft.Extensions.Logging;
using Nacre.PtlRpc;
using Nacre.Server.Storage;

namespace Nacre.Server.Node;

/// <summary>What the targets of a node get from it.</summary>
/// <param name="OpenObjects">Objects each OST may keep open.</param>
internal sealed record TargetHost(
    DataFolder Data, RpcServer Rpc, SpaceReserve Reserve, TimeProvider Time, ILoggerFactory Logging, int OpenObjects)
{
    private const int FewestOpenObjects = 8;
    private const int MostOpenObjects = 1024;

    /// <summary>
    /// An OST's part of the half of all descriptors that is for objects. OSTs added later get as many, from the other half.
    /// </summary>
    public static int OpenObjectsFor(int descriptors, int osts) =>
        Math.Clamp(descriptors / 2 / Math.Max(osts, 1), FewestOpenObjects, MostOpenObjects);
}
