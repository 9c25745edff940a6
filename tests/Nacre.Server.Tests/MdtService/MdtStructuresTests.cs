using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Nacre.PtlRpc.Wire;

namespace Nacre.Server.Tests.MdtService;

/// <summary>Sizes and offsets of the metadata structures against the tables of 05.</summary>
public class MdtStructuresTests
{
    [Fact]
    public void Sizes_are_those_of_the_wire()
    {
        Assert.Equal(216, Unsafe.SizeOf<MdtBody>());
        Assert.Equal(136, Unsafe.SizeOf<MdtRecReint>());
        Assert.Equal(136, Unsafe.SizeOf<MdtRecSetattr>());
        Assert.Equal(136, Unsafe.SizeOf<MdtRecCreate>());
        Assert.Equal(136, Unsafe.SizeOf<MdtRecName>());
        Assert.Equal(136, Unsafe.SizeOf<MdtRecSetxattr>());
        Assert.Equal(24, Unsafe.SizeOf<MdtIoEpoch>());
        Assert.Equal(96, Unsafe.SizeOf<CloseData>());
        Assert.Equal(24, Unsafe.SizeOf<LayoutIntent>());
        Assert.Equal(8, Unsafe.SizeOf<MdcSwapLayouts>());
        Assert.Equal(32, Unsafe.SizeOf<GetinfoFid2Path>());
        Assert.Equal(112, Unsafe.SizeOf<ObdQuotactl>());
        Assert.Equal(32, Unsafe.SizeOf<HsmUserState>());
        Assert.Equal(24, Unsafe.SizeOf<HsmCurrentAction>());
        Assert.Equal(24, Unsafe.SizeOf<HsmAttrs>());
        Assert.Equal(24, Unsafe.SizeOf<HsmStateSet>());
        Assert.Equal(24, Unsafe.SizeOf<HsmRequest>());
        Assert.Equal(32, Unsafe.SizeOf<HsmUserItem>());
        Assert.Equal(8, Unsafe.SizeOf<KucHeader>());
        Assert.Equal(32, Unsafe.SizeOf<HsmActionList>());
        Assert.Equal(72, Unsafe.SizeOf<HsmActionItem>());
        Assert.Equal(64, Unsafe.SizeOf<HsmProgressKernel>());
        Assert.Equal(24, Unsafe.SizeOf<LuDirpage>());
        Assert.Equal(32, Unsafe.SizeOf<LuDirent>());
        Assert.Equal(24, Unsafe.SizeOf<LuSeqRange>());
        Assert.Equal(32, Unsafe.SizeOf<LovMdsMd>());
        Assert.Equal(24, Unsafe.SizeOf<LovOstData>());
        Assert.Equal(32, Unsafe.SizeOf<LovCompMd>());
        Assert.Equal(48, Unsafe.SizeOf<LovCompEntry>());
        Assert.Equal(16, Unsafe.SizeOf<LovForeignMd>());
        Assert.Equal(48, Unsafe.SizeOf<LmvUserMd>());
    }

    [Theory]
    [InlineData(nameof(MdtBody.Fid2), 16)]
    [InlineData(nameof(MdtBody.OpenHandle), 32)]
    [InlineData(nameof(MdtBody.Valid), 40)]
    [InlineData(nameof(MdtBody.ObjectSize), 48)]
    [InlineData(nameof(MdtBody.Mtime), 56)]
    [InlineData(nameof(MdtBody.Ctime), 72)]
    [InlineData(nameof(MdtBody.Blocks), 80)]
    [InlineData(nameof(MdtBody.TState), 96)]
    [InlineData(nameof(MdtBody.FsUid), 104)]
    [InlineData(nameof(MdtBody.Capability), 112)]
    [InlineData(nameof(MdtBody.Mode), 116)]
    [InlineData(nameof(MdtBody.Flags), 128)]
    [InlineData(nameof(MdtBody.Nlink), 136)]
    [InlineData(nameof(MdtBody.Suppgid), 144)]
    [InlineData(nameof(MdtBody.EaDataSize), 148)]
    [InlineData(nameof(MdtBody.MaxMdSize), 156)]
    [InlineData(nameof(MdtBody.Projid), 172)]
    [InlineData(nameof(MdtBody.DomSize), 176)]
    [InlineData(nameof(MdtBody.Btime), 192)]
    public void Mdt_body_fields(string field, int offset) => Assert.Equal(offset, OffsetOf<MdtBody>(field));

    [Theory]
    [InlineData(typeof(MdtRecReint), nameof(MdtRecReint.Fid1), 40)]
    [InlineData(typeof(MdtRecReint), nameof(MdtRecReint.Mtime), 72)]
    [InlineData(typeof(MdtRecReint), nameof(MdtRecReint.Bias), 112)]
    [InlineData(typeof(MdtRecReint), nameof(MdtRecReint.MirrorId), 132)]
    [InlineData(typeof(MdtRecSetattr), nameof(MdtRecSetattr.Suppgid), 24)]
    [InlineData(typeof(MdtRecSetattr), nameof(MdtRecSetattr.Fid), 40)]
    [InlineData(typeof(MdtRecSetattr), nameof(MdtRecSetattr.Valid), 56)]
    [InlineData(typeof(MdtRecSetattr), nameof(MdtRecSetattr.ObjectSize), 72)]
    [InlineData(typeof(MdtRecSetattr), nameof(MdtRecSetattr.AttrFlags), 112)]
    [InlineData(typeof(MdtRecSetattr), nameof(MdtRecSetattr.Projid), 124)]
    [InlineData(typeof(MdtRecCreate), nameof(MdtRecCreate.Fid2), 56)]
    [InlineData(typeof(MdtRecCreate), nameof(MdtRecCreate.Time), 80)]
    [InlineData(typeof(MdtRecCreate), nameof(MdtRecCreate.Rdev), 88)]
    [InlineData(typeof(MdtRecCreate), nameof(MdtRecCreate.Mode), 112)]
    [InlineData(typeof(MdtRecCreate), nameof(MdtRecCreate.FlagsLow), 120)]
    [InlineData(typeof(MdtRecCreate), nameof(MdtRecCreate.Umask), 128)]
    [InlineData(typeof(MdtRecName), nameof(MdtRecName.Time), 72)]
    [InlineData(typeof(MdtRecName), nameof(MdtRecName.Bias), 112)]
    [InlineData(typeof(MdtRecName), nameof(MdtRecName.Mode), 116)]
    [InlineData(typeof(MdtRecSetxattr), nameof(MdtRecSetxattr.Valid), 72)]
    [InlineData(typeof(MdtRecSetxattr), nameof(MdtRecSetxattr.Time), 80)]
    [InlineData(typeof(MdtRecSetxattr), nameof(MdtRecSetxattr.ValueSize), 112)]
    [InlineData(typeof(MdtRecSetxattr), nameof(MdtRecSetxattr.Flags), 116)]
    [InlineData(typeof(ObdQuotactl), nameof(ObdQuotactl.BlockHardLimit), 40)]
    [InlineData(typeof(ObdQuotactl), nameof(ObdQuotactl.Valid), 104)]
    [InlineData(typeof(LovCompEntry), nameof(LovCompEntry.Offset), 24)]
    [InlineData(typeof(LovCompEntry), nameof(LovCompEntry.Timestamp), 36)]
    [InlineData(typeof(LovMdsMd), nameof(LovMdsMd.StripeCount), 28)]
    [InlineData(typeof(LovOstData), nameof(LovOstData.OstIndex), 20)]
    [InlineData(typeof(LuDirent), nameof(LuDirent.RecordLength), 24)]
    [InlineData(typeof(LuDirent), nameof(LuDirent.Attrs), 28)]
    [InlineData(typeof(LmvUserMd), nameof(LmvUserMd.MaxInherit), 20)]
    public void Record_fields(Type type, string field, int offset) =>
        Assert.Equal(offset, (int)Marshal.OffsetOf(type, field));

    [Theory]
    [InlineData(1, 40)]
    [InlineData(4, 40)]
    [InlineData(6, 48)]
    [InlineData(28, 64)]
    [InlineData(255, 296)]
    public void Directory_record_lengths(int name, int length) => Assert.Equal(length, LuDirent.LengthWithType(name));

    private static int OffsetOf<T>(string field) => (int)Marshal.OffsetOf<T>(field);
}
