using Nacre.LNet;

namespace Nacre.PtlRpc;

/// <summary>
/// One client node, which all its exports share: what it holds of the server's common memory, and which run of it the exports
/// belong to. Bounds are kept by node and not by export, because a client gets as many exports as there are targets.
/// </summary>
internal sealed class RpcPeer(PeerId id)
{
    private readonly Lock _gate = new();
    private readonly List<Export> _exports = [];
    private long _waitingBytes;
    private ulong _incarnation;
    private bool _isRetired;

    public PeerId Id => id;

    /// <summary>Its part of the bulk pool.</summary>
    public BulkShare Bulk { get; } = new();

    /// <summary>Bytes of its requests that wait for something.</summary>
    public long WaitingBytes => Interlocked.Read(ref _waitingBytes);

    public void CountWaiting(int bytes) => Interlocked.Add(ref _waitingBytes, bytes);

    /// <summary>
    /// Adds an export that has connected from this address. When that is another run of the node than the exports before belong
    /// to, those are returned: whoever made them may be gone. False when this object is out of use already.
    /// </summary>
    public bool TryAttach(Export export, ulong incarnation, out List<Export>? strangers)
    {
        strangers = null;
        lock (_gate)
        {
            if (_isRetired)
            {
                return false;
            }

            if (!_exports.Contains(export))
            {
                _exports.Add(export);
            }

            export.Incarnation = incarnation;
            if (_incarnation != incarnation)
            {
                _incarnation = incarnation;
                strangers = _exports.FindAll(other => other.Incarnation != incarnation);
            }

            return true;
        }
    }

    /// <summary>True when this was the last export, and the object is out of use from now on.</summary>
    public bool Detach(Export export)
    {
        lock (_gate)
        {
            _isRetired |= _exports.Remove(export) && _exports.Count == 0;
            return _isRetired;
        }
    }
}
