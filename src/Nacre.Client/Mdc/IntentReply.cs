using Nacre.Ldlm.Client;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.Client.Mdc;

/// <summary>The answer to an intent: attributes, and the lock that holds them. Dispose after what it says is where it belongs.</summary>
internal readonly struct IntentReply(RpcReply reply, LockReference granted) : IDisposable
{
    public RpcReply Reply { get; } = reply;

    /// <summary>Default where no lock was given.</summary>
    public LockReference Lock { get; } = granted;

    public Disp Disposition => (Disp)Reply.Get<LdlmReply>(1).LockPolicyRes1;

    /// <summary>Negative errno of the phase that ran last, or 0 (05 section 6.3).</summary>
    public int Result => (int)Reply.Get<LdlmReply>(1).LockPolicyRes2;

    public ref readonly MdtBody Body => ref Reply.Get<MdtBody>(2);

    /// <summary>The LOV EA; empty when there is none.</summary>
    public ReadOnlySpan<byte> Layout => (Body.Valid & ObdMd.FlEaSize) != 0 && Body.EaDataSize <= (uint)Reply.BufferLength(3)
        ? Reply.Buffer(3)[..(int)Body.EaDataSize]
        : [];

    /// <summary>The access ACL in its xattr form (05 section 9.2); empty when the mode says it all.</summary>
    public ReadOnlySpan<byte> Acl => (Body.Valid & ObdMd.FlAcl) != 0 && Body.AclSize <= (uint)Reply.BufferLength(4)
        ? Reply.Buffer(4)[..(int)Body.AclSize]
        : [];

    public void Dispose()
    {
        Lock.End();
        Reply.Dispose();
    }
}

/// <summary>What becomes of a granted lock once its reply has been read.</summary>
internal static class GrantedLocks
{
    /// <summary>Keeps a lock somebody has become the owner of; one nobody has a use for goes back to the server.</summary>
    public static void End(this LockReference granted)
    {
        if (!granted.IsHeld)
        {
            return;
        }

        if (granted.Lock.Owner is null)
        {
            granted.Lock.Namespace.Abandon(granted.Lock);
        }
        else
        {
            granted.Dispose();
        }
    }
}
