using Nacre.Ldlm;
using Nacre.PtlRpc.Wire;
using Nacre.Server.Mdt.FileSystem;

namespace Nacre.Server.Mdt;

/// <summary>What an open came to: everything its reply says (05 sections 6.2, 6.3 and 6.6).</summary>
internal sealed class OpenOutcome
{
    public Disp Disposition;
    /// <summary>Positive errno of the latest phase, 0 = success.</summary>
    public int Errno;
    /// <summary>The lock for the client, or null.</summary>
    public ClientLock? Lock;
    /// <summary>Whether <see cref="Object"/> is described in the reply.</summary>
    public bool HasObject;
    public MdtObject Object;
    /// <summary>Cookie of the open handle, 0 = none.</summary>
    public ulong Handle;
    public ulong Transno;
    /// <summary>Transaction to wait for before the reply leaves.</summary>
    public ulong Transaction;
    public PreVersions PreVersions;

    public static OpenOutcome Refused(Disp disposition, int errno, ulong transaction = 0) =>
        new() { Disposition = disposition, Errno = errno, Transaction = transaction };

    public void Depend(ulong transaction) => Transaction = Math.Max(Transaction, transaction);
}
