using Nacre.Ldlm.Client;
using Nacre.PtlRpc;

namespace Nacre.Client.Osc;

/// <summary>One OST as this client uses it: connection, locks, grant.</summary>
internal sealed class ObjectTarget
{
    internal ObjectTarget(int index, Import import, ClientNamespace locks)
    {
        Index = index;
        Import = import;
        Locks = locks;
    }

    public int Index { get; }

    public Import Import { get; }

    /// <summary>Answers the OST's callbacks.</summary>
    public ClientNamespace Locks { get; }

    /// <summary>The server has forgotten this client: locks, grant and what was not written are lost.</summary>
    public void OnEvicted() => throw new NotImplementedException();

    /// <summary>No lock and no dirty data: the connection may be given up until it is needed.</summary>
    public bool MayIdle() => throw new NotImplementedException();
}
