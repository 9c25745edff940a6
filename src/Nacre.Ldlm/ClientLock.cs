using Nacre.Ldlm.Engine;
using Nacre.Ldlm.Wire;

namespace Nacre.Ldlm;

/// <summary>
/// A lock granted to a client on behalf of an intent. The client learns of it by the reply, into which
/// <see cref="LdlmNamespace.FillReply"/> writes it.
/// </summary>
public sealed class ClientLock
{
    internal ClientLock(LockTable table, LdlmLock granted)
    {
        Table = table;
        Lock = granted;
        Bits = granted.Policy.Bits;
    }

    /// <summary>The server's handle.</summary>
    public ulong Handle => Lock.Handle;

    public LdlmResId Resource => Lock.Resource.Name;

    public LockMode Mode => Lock.Mode;

    /// <summary>The bits granted: the mandatory ones, and those of the optional ones that were free.</summary>
    public InodeBits Bits { get; }

    internal LockTable Table { get; }

    internal LdlmLock Lock { get; }
}
