using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;
using Nacre.Server.Mdt.FileSystem;

namespace Nacre.Server.Mdt;

/// <summary>MDS_GET_INFO, MDS_SET_INFO, MDS_QUOTACTL (05 sections 3.9 to 3.11).</summary>
public sealed partial class MdtTarget
{
    /// <summary>Where the value begins behind the key "fid2path".</summary>
    private const int Fid2PathValue = 16;
    private const int MaxPath = 4096;

    private static ReadOnlySpan<byte> Fid2PathKey => "fid2path"u8;

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask GetInfoAsync(RpcRequest request)
    {
        var question = ParseFid2Path(request, out var root);
        MdtPath found;
        lock (_store.Gate)
            found = _fs.PathOf(question.Fid, question.LinkNumber, root, (int)question.PathLength - 1);
        await Settled(found.Transaction).ConfigureAwait(false);
        request.StartReply(GetinfoFid2Path.Size + (int)question.PathLength);
        var answer = question;
        answer.Fid = root;
        if (found.MoreLinks)
            answer.LinkNumber++;
        var to = request.ReplyBuffer(1);
        MemoryMarshal.Write(to, answer);
        found.Path.CopyTo(to[GetinfoFid2Path.Size..]);
    }

    private static GetinfoFid2Path ParseFid2Path(RpcRequest request, out LuFid root)
    {
        var key = BytesIn(request, 1);
        if (!key.StartsWith(Fid2PathKey) || key.Length < Fid2PathValue + GetinfoFid2Path.Size)
            throw new FsException(Errno.EOPNOTSUPP);
        var question = MemoryMarshal.Read<GetinfoFid2Path>(key[Fid2PathValue..]);
        var rest = key[(Fid2PathValue + GetinfoFid2Path.Size)..];
        root = rest.Length >= LuFid.Size ? MemoryMarshal.Read<LuFid>(rest) : MdtFileSystem.Root;
        if (root.IsZero)
            root = MdtFileSystem.Root;
        bool sane = question.PathLength is > 0 and <= MaxPath
            && request.Get<uint>(2) == GetinfoFid2Path.Size + question.PathLength;
        return sane ? question : throw new FsException(Errno.EINVAL);
    }

    private static ValueTask SetInfoAsync(RpcRequest request)
    {
        var key = BytesIn(request, 1).TrimEnd((byte)0);
        if (key.SequenceEqual("read-only"u8))
            StateOf(request.Export).ReadOnly = request.Get<uint>(2) != 0;
        else if (key.SequenceEqual("changelog_clear"u8))
            throw new FsException(Errno.EOPNOTSUPP);
        else
            throw new FsException(Errno.EINVAL);
        request.StartReply();
        return ValueTask.CompletedTask;
    }

    /// <summary>No quota yet: own usage is all zeros, so that <c>lfs quota</c> ends, limits cannot be set or read.</summary>
    private static ValueTask QuotaCtlAsync(RpcRequest request)
    {
        const uint getOwnInfo = 0x80_0102, getOwnQuota = 0x80_0103, firstMaster = 0x80_0005, lastMaster = 0x80_0015;
        var asked = request.Get<ObdQuotactl>(1);
        if (asked.Command is >= firstMaster and <= lastMaster)
            throw new FsException(Errno.EOPNOTSUPP);
        if (asked.Command is not (getOwnInfo or getOwnQuota))
            throw new FsException(Errno.EFAULT);
        request.StartReply(ObdQuotactl.Size);
        ref var answer = ref request.Reply<ObdQuotactl>(1);
        (answer.Command, answer.Type, answer.Id) = (asked.Command, asked.Type, asked.Id);
        return ValueTask.CompletedTask;
    }
}
