using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Nacre.Fuse.Protocol;

namespace Nacre.Fuse.Tests.Protocol;

/// <summary>Sizes and offsets are those of linux/fuse.h 7.45.</summary>
public class LayoutTests
{
    [Fact]
    public void Messages_have_the_kernels_sizes()
    {
        Assert.Equal((40, 16), (Unsafe.SizeOf<RequestHeader>(), Unsafe.SizeOf<ReplyHeader>()));
        Assert.Equal((64, 64), (Unsafe.SizeOf<InitRequest>(), Unsafe.SizeOf<InitReply>()));
        Assert.Equal((88, 104, 128), (Unsafe.SizeOf<WireAttributes>(), Unsafe.SizeOf<AttributesReply>(), Unsafe.SizeOf<EntryReply>()));
        Assert.Equal((16, 88, 80), (Unsafe.SizeOf<GetAttributesRequest>(), Unsafe.SizeOf<SetAttributesRequest>(), Unsafe.SizeOf<StatFsReply>()));
        Assert.Equal((24, 288), (Unsafe.SizeOf<StatxRequest>(), Unsafe.SizeOf<StatxReply>()));
        Assert.Equal((16, 16, 8, 16, 24), (Unsafe.SizeOf<ForgetOne>(), Unsafe.SizeOf<MakeNodeRequest>(), Unsafe.SizeOf<MakeDirectoryRequest>(), Unsafe.SizeOf<RenameRequest>(), Unsafe.SizeOf<DirectoryEntry>()));
        Assert.Equal((8, 16, 16, 144), (Unsafe.SizeOf<OpenRequest>(), Unsafe.SizeOf<CreateRequest>(), Unsafe.SizeOf<OpenReply>(), Unsafe.SizeOf<CreateReply>()));
        Assert.Equal((24, 24, 40, 8, 16), (Unsafe.SizeOf<ReleaseRequest>(), Unsafe.SizeOf<FlushRequest>(), Unsafe.SizeOf<TransferRequest>(), Unsafe.SizeOf<WriteReply>(), Unsafe.SizeOf<SyncRequest>()));
        Assert.Equal((32, 24, 56), (Unsafe.SizeOf<AllocateRequest>(), Unsafe.SizeOf<SeekRequest>(), Unsafe.SizeOf<CopyRangeRequest>()));
        Assert.Equal((16, 8, 24, 48), (Unsafe.SizeOf<SetXattrRequest>(), Unsafe.SizeOf<XattrLength>(), Unsafe.SizeOf<WireLock>(), Unsafe.SizeOf<LockRequest>()));
        Assert.Equal((24, 16, 16), (Unsafe.SizeOf<InvalidateInode>(), Unsafe.SizeOf<InvalidateEntry>(), Unsafe.SizeOf<PruneNodes>()));
    }

    [Fact]
    public void Members_are_where_the_kernel_has_them()
    {
        Assert.Equal(32, Offset<RequestHeader>(nameof(RequestHeader.Pid)));
        Assert.Equal(20, Offset<InitReply>(nameof(InitReply.MaxWrite)));
        Assert.Equal(28, Offset<InitReply>(nameof(InitReply.MaxPages)));
        Assert.Equal(32, Offset<InitReply>(nameof(InitReply.Flags2)));
        Assert.Equal(60, Offset<WireAttributes>(nameof(WireAttributes.Mode)));
        Assert.Equal(68, Offset<SetAttributesRequest>(nameof(SetAttributesRequest.Mode)));
        Assert.Equal(76, Offset<SetAttributesRequest>(nameof(SetAttributesRequest.Uid)));
        Assert.Equal(32, Offset<TransferRequest>(nameof(TransferRequest.FileFlags)));
        Assert.Equal(32, Offset<StatxReply>(nameof(StatxReply.Mask)));
        Assert.Equal(32 + 28, Offset<StatxReply>(nameof(StatxReply.Mode)));
        Assert.Equal(32 + 64, Offset<StatxReply>(nameof(StatxReply.AccessTime)));
        Assert.Equal(32 + 128, Offset<StatxReply>(nameof(StatxReply.DeviceMajor)));
    }

    private static int Offset<T>(string member) => (int)Marshal.OffsetOf<T>(member);
}
