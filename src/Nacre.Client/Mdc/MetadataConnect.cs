using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.Client.Mdc;

/// <summary>What this client asks a metadata target for: what a 2.15 mount does (02 section 10.4), less what is not done here.</summary>
internal static class MetadataConnect
{
    /// <summary>
    /// Directories over several MDTs; layouts, pools and files that need I/O to the MDT; encryption, security contexts, copies on the
    /// client; locks that shrink.
    /// </summary>
    private const ConnectFlags NotDone = ConnectFlags.DirStripe | ConnectFlags.Lfsck | ConnectFlags.Grant | ConnectFlags.GrantParam
        | ConnectFlags.GrantShrink | ConnectFlags.Shortio | ConnectFlags.Pingless;

    private const ConnectFlags2 Done = ConnectFlags2.SumStatfs | ConnectFlags2.Overstriping | ConnectFlags2.IncXid | ConnectFlags2.Lsom
        | ConnectFlags2.GetattrPfid | ConnectFlags2.RepMbits | ConnectFlags2.ArchiveIdArray;

    public static ObdConnectData Wanted(MountOptions options)
    {
        var wanted = ImportOptions.MdtWanted;
        wanted.Flags &= ~NotDone;
        wanted.Flags2 &= Done;
        wanted.IbitsKnown = (ulong)(Ldlm.Wire.InodeBits.All & ~Ldlm.Wire.InodeBits.Dom);
        (wanted.Grant, wanted.GrantBlkBits) = (0, 0);
        if (options.ReadOnly)
        {
            wanted.Flags |= ConnectFlags.Rdonly;
        }

        if (!options.Acl)
        {
            wanted.Flags &= ~(ConnectFlags.Acl | ConnectFlags.LargeAcl);
        }

        return wanted;
    }
}
