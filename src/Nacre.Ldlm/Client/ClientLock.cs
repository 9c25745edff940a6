using Nacre.Ldlm.Wire;

namespace Nacre.Ldlm.Client;

/// <summary>A lock of this client: held, waited for, or just made. Everything in it changes under its namespace's gate.</summary>
public sealed class ClientLock
{
    internal ClientLock(
        ClientNamespace space, ulong handle, in LdlmResId resource, LockType type, LockMode mode, in LdlmPolicy policy,
        ILockOwner? owner, object? state)
    {
        Namespace = space;
        Handle = handle;
        Resource = resource;
        Type = type;
        Mode = mode;
        Policy = policy;
        Owner = owner;
        State = state;
    }

    /// <summary>This client's handle.</summary>
    public ulong Handle { get; }

    public LockType Type { get; }

    /// <summary>As granted once it is, which an intent may make another than the one asked for.</summary>
    public LdlmResId Resource { get; internal set; }

    /// <summary>As granted once it is.</summary>
    public LockMode Mode { get; internal set; }

    /// <summary>Extent or bits as granted once it is.</summary>
    public LdlmPolicy Policy { get; internal set; }

    /// <summary>The server's handle; 0 until it is known.</summary>
    public ulong ServerHandle { get; internal set; }

    public ClientNamespace Namespace { get; }

    /// <summary>
    /// Told before the lock goes. An intent's owner may not be known before its reply: set it before the reference from
    /// <see cref="ClientNamespace.AcceptAsync"/> is disposed.
    /// </summary>
    public ILockOwner? Owner { get; set; }

    /// <summary>Belongs to the owner.</summary>
    public object? State { get; set; }

    /// <summary>EXTENT: size and times that came with the grant.</summary>
    public OstLvb Lvb { get; internal set; }

    /// <summary>IBITS with the LAYOUT bit: the layout that came with the grant; empty when it has to be fetched (03 section 14.3).</summary>
    public ReadOnlyMemory<byte> LvbBytes { get; internal set; }

    /// <summary>Called back with the order to throw dirty data away instead of writing it.</summary>
    public bool Discard { get; internal set; }

    /// <summary>Called back or otherwise on its way out: nobody new can match it.</summary>
    public bool IsLeaving { get; internal set; }
}
