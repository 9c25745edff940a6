using Microsoft.Extensions.Logging;
using Nacre.PtlRpc;
using Nacre.Server.Storage;

namespace Nacre.Server.Node;

/// <summary>What the targets of a node get from it.</summary>
internal sealed record TargetHost(DataFolder Data, RpcServer Rpc, SpaceReserve Reserve, TimeProvider Time, ILoggerFactory Logging)
{
    private const int FewestOpenObjects = 8;
    private const int MostOpenObjects = 1024;

    /// <summary>Objects each OST may keep open. Divided anew whenever OSTs come or go.</summary>
    public int OpenObjects { get; set; } = FewestOpenObjects;

    /// <summary>An OST's part of the half of all descriptors that is for objects.</summary>
    public static int OpenObjectsFor(int descriptors, int osts) =>
        Math.Clamp(descriptors / 2 / Math.Max(osts, 1), FewestOpenObjects, MostOpenObjects);
}
