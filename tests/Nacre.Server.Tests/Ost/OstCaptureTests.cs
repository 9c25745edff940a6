using System.Runtime.InteropServices;
using Nacre.PtlRpc.Wire;
using Nacre.Server.Tests.MdtService;

namespace Nacre.Server.Tests.Ost;

/// <summary>The structures read what genuine peers sent, and write it back byte for byte.</summary>
public class OstCaptureTests
{
    public static TheoryData<string> Captures => ["data", "two-clients", "errors", "ost-recovery", "locks", "xattr-layout"];

    [Theory]
    [MemberData(nameof(Captures))]
    public void Bodies_decode_and_encode_to_the_same_bytes(string capture)
    {
        int bodies = 0;
        foreach (var rpc in CaptureRpcs.Read(capture).Where(rpc => HasBody(rpc.Opcode)))
        {
            var request = rpc.Request.Buffers;
            Obdo oa = Recode<OstBody>(request[1]).Oa;
            Assert.True(oa.Has(ObdoValid.Id | ObdoValid.Group) || rpc.Opcode == Opcode.OstCreate);
            Assert.True(oa.Oi.TryGetFid(0, out _));
            Assert.Equal(0u, oa.Padding4);
            if (rpc.Reply is { } reply && reply.Buffers.Length > 1 && reply.Buffers[1].Length == OstBody.Size) Recode<OstBody>(reply.Buffers[1]);
            if (rpc.Opcode is Opcode.OstRead or Opcode.OstWrite) CheckBrw(rpc);
            bodies++;
        }
        Assert.True(bodies > 0 || capture == "xattr-layout", "no object requests in the capture");
    }

    private static bool HasBody(uint opcode) => opcode is Opcode.OstRead or Opcode.OstWrite or Opcode.OstPunch or Opcode.OstGetattr
        or Opcode.OstSetattr or Opcode.OstSync or Opcode.OstFallocate or Opcode.OstSeek;

    private static void CheckBrw(CapturedRpc rpc)
    {
        var request = rpc.Request.Buffers;
        var oa = Recode<OstBody>(request[1]).Oa;
        var ioobj = Recode<ObdIoobj>(request[2]);
        Assert.Equal((int)ioobj.BufferCount * NiobufRemote.Size, request[3].Length);
        var niobufs = MemoryMarshal.Cast<byte, NiobufRemote>(request[3]).ToArray();
        long total = niobufs.Sum(niobuf => niobuf.Length);
        if (oa.HasFlags(ObdoFlags.ShortIo))
        {
            Assert.Equal(0xFFFF_0000u, ioobj.MaxBrw);
            Assert.True(total <= 16 << 10);
            if (rpc.Opcode == Opcode.OstWrite) Assert.Equal(total, request[5].Length);
            if (rpc.Opcode == Opcode.OstRead && rpc.Reply is { } reply) Assert.Equal(reply.Body.Status, reply.Buffers[2].Length);
            return;
        }
        // The MDs that the client announced are those the niobufs give.
        ulong reserved = (ulong)ioobj.MaxMds;
        int announced = (int)(rpc.Request.Body.MatchBits & (reserved - 1)) + 1;
        Assert.Equal(announced, BulkSplit.Compute(niobufs, 4096, stackalloc int[64]));
    }

    [Fact]
    public void The_fiemap_key_of_a_client_is_understood()
    {
        var asked = CaptureRpcs.Read("errors").Concat(CaptureRpcs.Read("data")).Concat(CaptureRpcs.Read("xattr-layout"))
            .First(rpc => rpc.Opcode == Opcode.OstGetInfo);
        var key = Recode<LlFiemapInfoKey>(asked.Request.Buffers[1]);
        Assert.True(key.Oa.Has(ObdoValid.Id));
        Assert.Equal(Fiemap.Size + FiemapExtent.Size * (int)key.Fiemap.ExtentCount, asked.Request.Buffers[2].Length);
    }

    private static T Recode<T>(byte[] bytes) where T : unmanaged
    {
        var value = MemoryMarshal.Read<T>(bytes);
        var again = new byte[bytes.Length];
        MemoryMarshal.Write(again, in value);
        Assert.Equal(bytes, again);
        return value;
    }
}
