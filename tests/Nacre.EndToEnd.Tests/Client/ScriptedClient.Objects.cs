using Nacre.Ldlm.Wire;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.EndToEnd.Client;

/// <summary>Truncate, fallocate, seek, statfs: what else is asked of OSTs (06 section 6).</summary>
public sealed partial class ScriptedClient
{
    private const uint SeekData = 3;
    private const uint SeekHole = 4;

    /// <summary>Sets the size: SETATTR at the MDT, then a punch of every object under a lock on all of it.</summary>
    public async Task TruncateAsync(OpenFile file, ulong size)
    {
        await SetAttrAsync(file.Fid, (MdsAttr)0x2002168, InodeBits.Update, (ref MdtRecSetattr record) =>
            (record.ObjectSize, record.Bias) = (size, MdsBias.DataModified));
        if (file.Layout is null)
        {
            return;
        }

        if (Striping.NeedsObjects(file.Layout, 0, size + 1))
        {
            await InstantiateAsync(file, 0, size + 1);
        }

        file.HasWritten = true;
        foreach (var stripe in Striping.Stripes(file.Fid, file.Layout).Where(stripe => stripe.Component.End > size))
        {
            await PunchAsync(stripe, Striping.ObjectSize(stripe, Math.Max(size, stripe.Component.Start)));
        }
    }

    /// <summary>Free space of one OST.</summary>
    public async Task<ObdStatfs> StatFsAsync(int ost)
    {
        using var reply = await SendAsync(_osts[ost].Import, new RpcCall(Opcode.OstStatfs));
        return reply.Get<ObdStatfs>(1);
    }

    /// <summary>Reserves space; with a mode of 3 a hole is punched. For files of one stripe.</summary>
    public async Task FallocateAsync(OpenFile file, ulong start, ulong end, FallocateMode mode = FallocateMode.None)
    {
        await EnsureObjectsAsync(file, start, end);
        var stripe = Striping.Stripes(file.Fid, file.Layout!).Single();
        var held = await LockExtentAsync(stripe, LockMode.PW, 0, LdlmPolicy.EndOfFile);
        try
        {
            await FlushObjectAsync(ServerOf(stripe), stripe.Resource);
            var call = NewObjectCall(Opcode.OstFallocate, stripe, (ObdoValid)0x0180000003004631);
            ref var obdo = ref call.Get<Obdo>(1);
            (obdo.ObjectSize, obdo.Blocks, obdo.FallocateMode) = (start, end, mode);
            using var reply = await SendAsync(ServerOf(stripe).Import, call);
            if (mode == FallocateMode.None)
            {
                RaiseKnownSize(ServerOf(stripe), stripe.Resource, end);
            }
        }
        finally
        {
            Release(held);
        }
    }

    /// <summary>First data, or first hole, at or behind an offset of a file of one stripe; null when there is none.</summary>
    public async Task<ulong?> SeekAsync(OpenFile file, ulong start, bool hole)
    {
        var stripe = Striping.Stripes(file.Fid, file.Layout!).Single();
        var held = await LockExtentAsync(stripe, LockMode.PR, 0, LdlmPolicy.EndOfFile);
        try
        {
            var call = NewObjectCall(Opcode.OstSeek, stripe, (ObdoValid)0x1000001);
            ref var obdo = ref call.Get<Obdo>(1);
            (obdo.ObjectSize, obdo.Mode) = (start, hole ? SeekHole : SeekData);
            using var reply = await SendAsync(ServerOf(stripe).Import, call);
            var result = (long)reply.Get<Obdo>(1).ObjectSize;
            return result >= 0 ? (ulong)result : result == -Errno.ENXIO ? null : throw new RpcException((int)-result);
        }
        finally
        {
            Release(held);
        }
    }

    /// <summary>Times of a file's objects, as utimes sends them after the MDT's.</summary>
    public async Task SetObjectTimesAsync(OpenFile file, long atime, long mtime)
    {
        foreach (var stripe in Striping.Stripes(file.Fid, file.Layout!))
        {
            var call = NewObjectCall(Opcode.OstSetattr, stripe, (ObdoValid)0x008000000300400f);
            ref var obdo = ref call.Get<Obdo>(1);
            (obdo.ATime, obdo.MTime, obdo.CTime) = (atime, mtime, Now());
            using var reply = await SendAsync(ServerOf(stripe).Import, call);
        }
    }

    private async Task PunchAsync(Stripe stripe, ulong size)
    {
        var held = await LockExtentAsync(
            stripe, LockMode.PW, 0, LdlmPolicy.EndOfFile, size == 0 ? LdlmFlags.AstDiscardData : LdlmFlags.None);
        try
        {
            await FlushObjectAsync(ServerOf(stripe), stripe.Resource);
            var call = NewObjectCall(Opcode.OstPunch, stripe, (ObdoValid)0x008000000300403d);
            ref var obdo = ref call.Get<Obdo>(1);
            (obdo.ObjectSize, obdo.Blocks, obdo.MTime, obdo.CTime) = (size, LdlmPolicy.EndOfFile, Now(), Now());
            using var reply = await SendAsync(ServerOf(stripe).Import, call);
            var lvb = held.Lvb;
            lvb.ObjectSize = size;
            held.Lvb = lvb;
        }
        finally
        {
            Release(held);
        }
    }
}
