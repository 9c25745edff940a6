using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;
using Nacre.Server.Mdt.FileSystem;

namespace Nacre.Server.Mdt;

/// <summary>MDS_STATFS: this MDT alone, or the whole file system (05 section 3.2).</summary>
public sealed partial class MdtTarget
{
    /// <summary>Bytes of the unit in which the whole file system's space is given: a power of two.</summary>
    private const uint SumBlockSize = 4096;

    private ValueTask StatFsAsync(RpcRequest request)
    {
        bool sum = request.Has(BufBody) && (request.Get<MdtBody>(BufBody).Valid & ObdMd.FlagStatfs) != 0
            && request.Export.Has(ConnectFlags2.SumStatfs);
        MdtStatFs own;
        lock (_store.Gate)
            own = _fs.StatFs();
        request.StartReply(ObdStatfs.Size);
        ref var reply = ref request.Reply<ObdStatfs>(1);
        FillOwn(ref reply, own);
        if (sum)
            FillSum(ref reply);
        return ValueTask.CompletedTask;
    }

    private static void FillOwn(ref ObdStatfs reply, in MdtStatFs own)
    {
        reply.Blocks = own.Blocks;
        reply.BlocksFree = own.BlocksFree;
        reply.BlocksAvailable = own.BlocksAvailable;
        reply.Files = own.Files;
        reply.FilesFree = own.FilesFree;
        reply.BlockSize = own.BlockSize;
        reply.NameLength = MaxName;
        reply.MaxBytes = long.MaxValue;
    }

    /// <summary>Space of all OSTs; files of this MDT, limited by the objects the OSTs can still hold: the rule a client
    /// applies when it sums by itself.</summary>
    private void FillSum(ref ObdStatfs reply)
    {
        long total = 0, free = 0, available = 0, freeObjects = 0;
        foreach (var target in _allocator.Targets())
        {
            if (!target.Active)
                continue;
            var space = target.Space();
            total += space.Total;
            free += space.Free;
            available += space.Available;
            freeObjects += space.FreeObjects;
        }
        reply.BlockSize = SumBlockSize;
        reply.Blocks = (ulong)total / SumBlockSize;
        reply.BlocksFree = (ulong)free / SumBlockSize;
        reply.BlocksAvailable = (ulong)available / SumBlockSize;
        reply.State = StatfsState.Sum;
        if ((ulong)freeObjects < reply.FilesFree)
        {
            reply.Files = reply.Files - reply.FilesFree + (ulong)freeObjects;
            reply.FilesFree = (ulong)freeObjects;
        }
    }
}
