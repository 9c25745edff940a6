using System.Runtime.InteropServices;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.Server.Mdt;

/// <summary>SEQ_QUERY and FLD (04 sections 13 and 14): FID sequences for clients, and on which MDT a sequence lives.</summary>
public sealed partial class MdtTarget
{
    private const uint AllocMeta = 1;
    private const uint FldLookup = 2;

    /// <summary>What this MDT answers for: ranges it will always own, so that clients may keep the answer for ever.</summary>
    private static readonly (ulong Start, ulong End)[] OwnedSequences =
    [
        (0xc, 0x1_0000_0000), // Inode numbers of upgraded file systems.
        (0x2_0000_0002, 0x2_0000_0003), // .lustre
        (0x2_0000_0007, 0x2_0000_0008), // The root.
        (0x2_0000_0400, 0x2_4000_0400), // Sequences of clients.
    ];

    private async ValueTask SequenceQueryAsync(RpcRequest request)
    {
        if (request.Get<uint>(1) != AllocMeta)
            throw new FsException(Errno.EOPNOTSUPP);
        ulong sequence, transaction;
        lock (_store.Gate)
        {
            sequence = _fs.AllocateSequence();
            transaction = _store.PendingTransaction;
        }
        await Settled(transaction).ConfigureAwait(false);
        ref readonly var asked = ref request.Get<LuSeqRange>(2);
        request.StartReply(LuSeqRange.Size);
        ref var range = ref request.Reply<LuSeqRange>(1);
        range.Start = sequence;
        range.End = sequence + 1;
        range.Index = asked.Index;
        range.Flags = asked.Flags;
    }

    private ValueTask FldQueryAsync(RpcRequest request)
    {
        if (request.Get<uint>(1) != FldLookup)
            throw new FsException(Errno.EOPNOTSUPP);
        ulong sequence = request.Get<LuSeqRange>(2).Start;
        foreach (var (start, end) in OwnedSequences)
        {
            if (sequence < start || sequence >= end)
                continue;
            request.StartReply(LuSeqRange.Size);
            ref var range = ref request.Reply<LuSeqRange>(1);
            range.Start = start;
            range.End = end;
            range.Index = (uint)_options.Index;
            return ValueTask.CompletedTask;
        }
        throw new FsException(Errno.ENOENT);
    }

    /// <summary>All ranges: {count, pad} and the ranges.</summary>
    private ValueTask FldReadAsync(RpcRequest request)
    {
        const int head = 2 * sizeof(uint);
        request.StartReply(head + OwnedSequences.Length * LuSeqRange.Size);
        var to = request.ReplyBuffer(1);
        MemoryMarshal.Write(to, (uint)OwnedSequences.Length);
        var ranges = MemoryMarshal.Cast<byte, LuSeqRange>(to[head..]);
        for (int i = 0; i < ranges.Length; i++)
        {
            ranges[i].Start = OwnedSequences[i].Start;
            ranges[i].End = OwnedSequences[i].End;
            ranges[i].Index = (uint)_options.Index;
        }
        return ValueTask.CompletedTask;
    }
}
