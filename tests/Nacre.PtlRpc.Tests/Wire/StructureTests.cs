using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Nacre.PtlRpc.Wire;

namespace Nacre.PtlRpc.Tests.Wire;

/// <summary>Sizes and offsets of the tables in 02.</summary>
public class StructureTests
{
    [Fact]
    public void Sizes()
    {
        Assert.Equal(32, Unsafe.SizeOf<MessageHeader>());
        Assert.Equal(184, Unsafe.SizeOf<PtlrpcBody>());
        Assert.Equal(192, Unsafe.SizeOf<ObdConnectData>());
        Assert.Equal(16, Unsafe.SizeOf<LuFid>());
        Assert.Equal(8, Unsafe.SizeOf<LustreHandle>());
        Assert.Equal(40, Unsafe.SizeOf<ObdUuid>());
        Assert.Equal(144, Unsafe.SizeOf<ObdStatfs>());
    }

    [Theory]
    [InlineData(nameof(MessageHeader.SecurityFlavour), 4)]
    [InlineData(nameof(MessageHeader.Magic), 8)]
    [InlineData(nameof(MessageHeader.ReplySize), 12)]
    [InlineData(nameof(MessageHeader.Checksum), 16)]
    [InlineData(nameof(MessageHeader.Flags), 20)]
    public void MessageHeaderOffsets(string field, int offset) => AssertOffset<MessageHeader>(field, offset);

    [Theory]
    [InlineData(nameof(PtlrpcBody.Handle), 0)]
    [InlineData(nameof(PtlrpcBody.Type), 8)]
    [InlineData(nameof(PtlrpcBody.Version), 12)]
    [InlineData(nameof(PtlrpcBody.Opcode), 16)]
    [InlineData(nameof(PtlrpcBody.Status), 20)]
    [InlineData(nameof(PtlrpcBody.LastXid), 24)]
    [InlineData(nameof(PtlrpcBody.Tag), 32)]
    [InlineData(nameof(PtlrpcBody.Padding1), 36)]
    [InlineData(nameof(PtlrpcBody.LastCommitted), 40)]
    [InlineData(nameof(PtlrpcBody.Transno), 48)]
    [InlineData(nameof(PtlrpcBody.Flags), 56)]
    [InlineData(nameof(PtlrpcBody.OperationFlags), 60)]
    [InlineData(nameof(PtlrpcBody.ConnectionCount), 64)]
    [InlineData(nameof(PtlrpcBody.Timeout), 68)]
    [InlineData(nameof(PtlrpcBody.ServiceTime), 72)]
    [InlineData(nameof(PtlrpcBody.Limit), 76)]
    [InlineData(nameof(PtlrpcBody.ServerLockVolume), 80)]
    [InlineData(nameof(PtlrpcBody.PreVersions), 88)]
    [InlineData(nameof(PtlrpcBody.MatchBits), 120)]
    [InlineData(nameof(PtlrpcBody.Padding64A), 128)]
    [InlineData(nameof(PtlrpcBody.JobId), 152)]
    public void PtlrpcBodyOffsets(string field, int offset) => AssertOffset<PtlrpcBody>(field, offset);

    [Theory]
    [InlineData(nameof(ObdConnectData.Flags), 0)]
    [InlineData(nameof(ObdConnectData.Version), 8)]
    [InlineData(nameof(ObdConnectData.Grant), 12)]
    [InlineData(nameof(ObdConnectData.Index), 16)]
    [InlineData(nameof(ObdConnectData.BrwSize), 20)]
    [InlineData(nameof(ObdConnectData.IbitsKnown), 24)]
    [InlineData(nameof(ObdConnectData.GrantBlkBits), 32)]
    [InlineData(nameof(ObdConnectData.GrantInoBits), 33)]
    [InlineData(nameof(ObdConnectData.GrantTaxKb), 34)]
    [InlineData(nameof(ObdConnectData.GrantMaxBlks), 36)]
    [InlineData(nameof(ObdConnectData.Transno), 40)]
    [InlineData(nameof(ObdConnectData.Group), 48)]
    [InlineData(nameof(ObdConnectData.ChecksumTypes), 52)]
    [InlineData(nameof(ObdConnectData.MaxEaSize), 56)]
    [InlineData(nameof(ObdConnectData.Instance), 60)]
    [InlineData(nameof(ObdConnectData.MaxBytes), 64)]
    [InlineData(nameof(ObdConnectData.MaxModRpcs), 72)]
    [InlineData(nameof(ObdConnectData.Flags2), 80)]
    [InlineData(nameof(ObdConnectData.Padding3), 88)]
    public void ObdConnectDataOffsets(string field, int offset) => AssertOffset<ObdConnectData>(field, offset);

    [Theory]
    [InlineData(nameof(ObdStatfs.Blocks), 8)]
    [InlineData(nameof(ObdStatfs.BlocksFree), 16)]
    [InlineData(nameof(ObdStatfs.BlocksAvailable), 24)]
    [InlineData(nameof(ObdStatfs.Files), 32)]
    [InlineData(nameof(ObdStatfs.FilesFree), 40)]
    [InlineData(nameof(ObdStatfs.Fsid), 48)]
    [InlineData(nameof(ObdStatfs.BlockSize), 88)]
    [InlineData(nameof(ObdStatfs.NameLength), 92)]
    [InlineData(nameof(ObdStatfs.MaxBytes), 96)]
    [InlineData(nameof(ObdStatfs.State), 104)]
    [InlineData(nameof(ObdStatfs.FilesPrecreated), 108)]
    [InlineData(nameof(ObdStatfs.Granted), 112)]
    [InlineData(nameof(ObdStatfs.Spare), 116)]
    public void ObdStatfsOffsets(string field, int offset) => AssertOffset<ObdStatfs>(field, offset);

    [Fact]
    public void ConnectFlagsOfGenuineMountsHaveTheirNames()
    {
        Assert.Equal(0ul, (ulong)ConnectFlags.Mds & 0xAE7A5E7BE344D3B8);
        var mgc = (ConnectFlags)0xA000411001002020;
        var named = ConnectFlags.Version | ConnectFlags.At | ConnectFlags.Full20 | ConnectFlags.ImpRecov | ConnectFlags.LvbType
            | ConnectFlags.BulkMbits | ConnectFlags.Barrier | ConnectFlags.Flags2;
        Assert.Equal(named, mgc);
        Assert.Equal(
            ConnectFlags2.Lockahead | ConnectFlags2.IncXid | ConnectFlags2.Encrypt | ConnectFlags2.Lseek | ConnectFlags2.RepMbits,
            (ConnectFlags2)0x148202 | ConnectFlags2.Encrypt);
    }

    [Fact]
    public void FidsHaveTheirCustomaryText()
    {
        var fid = new LuFid(0x200000401, 0x1a, 0);
        Assert.Equal("[0x200000401:0x1a:0x0]", fid.ToString());
        Assert.Equal(fid, LuFid.Parse("[0x200000401:0x1a:0x0]"));
        Assert.Equal(fid, LuFid.Parse("200000401:1a:0"));
        Assert.False(LuFid.TryParse("[0x1:0x100000000:0x0]", out _));
        Assert.False(LuFid.TryParse("[0x1:0x1]", out _));
        Assert.False(LuFid.TryParse("", out _));
        Span<byte> bytes = stackalloc byte[16];
        fid.WriteBigEndian(bytes);
        Assert.Equal("00000002000004010000001A00000000", Convert.ToHexString(bytes));
    }

    private static void AssertOffset<T>(string field, int offset) => Assert.Equal(offset, (int)Marshal.OffsetOf<T>(field));
}
