using System.Collections.Concurrent;
using Nacre.LNet;

namespace Nacre.PtlRpc;

/// <summary>
/// The client nodes, and what becomes of the exports of one whose address another run of it has taken (01 section 4.7): a machine
/// that was killed and started again is a new client with an old address.
/// </summary>
public sealed partial class RpcServer
{
    private readonly ConcurrentDictionary<PeerId, RpcPeer> _peers = new();

    /// <summary>Puts an export under the node it has connected from.</summary>
    private void AttachToPeer(Export export, in ConnectRequest request)
    {
        var before = export.Client;
        List<Export>? strangers;
        RpcPeer client;
        do
        {
            client = _peers.GetOrAdd(request.Peer, static id => new RpcPeer(id));
        }
        while (!client.TryAttach(export, request.Incarnation, out strangers));

        export.Client = client;
        if (before != client)
        {
            Detach(before, export);
        }

        if (export.IsClosed)
        {
            // Evicted while it connected: whoever closed it has not seen this node.
            Detach(client, export);
        }

        if (strangers is not null)
        {
            foreach (var stranger in strangers)
            {
                Orphan(stranger);
            }
        }
    }

    private void Detach(RpcPeer client, Export export)
    {
        if (client.Detach(export))
        {
            _peers.TryRemove(KeyValuePair.Create(client.Id, client));
        }
    }

    /// <summary>
    /// Its transfers would wait for somebody who has never heard of them, and its locks for nobody. A client that only had its LNet
    /// started anew sends requests as before, which makes it an ordinary one again.
    /// </summary>
    private void Orphan(Export export)
    {
        LogOrphaned(_log, export.Target.Uuid, export.ClientUuid, export.Peer);
        // Outside all locks: transfers that give up run their continuations here.
        export.Orphan(Clock.Milliseconds).Cancel();
    }
}
