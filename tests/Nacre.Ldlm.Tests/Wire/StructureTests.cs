using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Nacre.Ldlm.Wire;

namespace Nacre.Ldlm.Tests.Wire;

/// <summary>Sizes and offsets against the tables of 03 sections 2 to 5.</summary>
public class StructureTests
{
    [Fact]
    public void SizesAreThoseOfTheTables()
    {
        Assert.Equal((32, LdlmResId.Size), (Unsafe.SizeOf<LdlmResId>(), 32));
        Assert.Equal((32, LdlmPolicy.Size), (Unsafe.SizeOf<LdlmPolicy>(), 32));
        Assert.Equal((40, LdlmResourceDesc.Size), (Unsafe.SizeOf<LdlmResourceDesc>(), 40));
        Assert.Equal((80, LdlmLockDesc.Size), (Unsafe.SizeOf<LdlmLockDesc>(), 80));
        Assert.Equal((104, LdlmRequest.Size), (Unsafe.SizeOf<LdlmRequest>(), 104));
        Assert.Equal((112, LdlmReply.Size), (Unsafe.SizeOf<LdlmReply>(), 112));
        Assert.Equal((8, LdlmIntent.Size), (Unsafe.SizeOf<LdlmIntent>(), 8));
        Assert.Equal((56, OstLvb.Size), (Unsafe.SizeOf<OstLvb>(), 56));
        Assert.Equal((64, LdlmGlDesc.Size), (Unsafe.SizeOf<LdlmGlDesc>(), 64));
    }

    [Theory]
    [InlineData(typeof(LdlmResourceDesc), nameof(LdlmResourceDesc.Type), 0)]
    [InlineData(typeof(LdlmResourceDesc), nameof(LdlmResourceDesc.Name), 8)]
    [InlineData(typeof(LdlmLockDesc), nameof(LdlmLockDesc.ReqMode), 40)]
    [InlineData(typeof(LdlmLockDesc), nameof(LdlmLockDesc.GrantedMode), 44)]
    [InlineData(typeof(LdlmLockDesc), nameof(LdlmLockDesc.Policy), 48)]
    [InlineData(typeof(LdlmPolicy), nameof(LdlmPolicy.End), 8)]
    [InlineData(typeof(LdlmPolicy), nameof(LdlmPolicy.Gid), 16)]
    [InlineData(typeof(LdlmPolicy), nameof(LdlmPolicy.FlockOwner), 16)]
    [InlineData(typeof(LdlmPolicy), nameof(LdlmPolicy.FlockPid), 28)]
    [InlineData(typeof(LdlmRequest), nameof(LdlmRequest.LockFlags), 0)]
    [InlineData(typeof(LdlmRequest), nameof(LdlmRequest.LockCount), 4)]
    [InlineData(typeof(LdlmRequest), nameof(LdlmRequest.LockDesc), 8)]
    [InlineData(typeof(LdlmRequest), nameof(LdlmRequest.Handle0), 88)]
    [InlineData(typeof(LdlmRequest), nameof(LdlmRequest.Handle1), 96)]
    [InlineData(typeof(LdlmReply), nameof(LdlmReply.LockDesc), 8)]
    [InlineData(typeof(LdlmReply), nameof(LdlmReply.LockHandle), 88)]
    [InlineData(typeof(LdlmReply), nameof(LdlmReply.LockPolicyRes1), 96)]
    [InlineData(typeof(LdlmReply), nameof(LdlmReply.LockPolicyRes2), 104)]
    [InlineData(typeof(OstLvb), nameof(OstLvb.MTime), 8)]
    [InlineData(typeof(OstLvb), nameof(OstLvb.ATime), 16)]
    [InlineData(typeof(OstLvb), nameof(OstLvb.CTime), 24)]
    [InlineData(typeof(OstLvb), nameof(OstLvb.Blocks), 32)]
    [InlineData(typeof(OstLvb), nameof(OstLvb.MTimeNs), 40)]
    [InlineData(typeof(OstLvb), nameof(OstLvb.Padding), 52)]
    public void OffsetsAreThoseOfTheTables(Type type, string field, int offset) =>
        Assert.Equal(offset, (int)Marshal.OffsetOf(type, field));

    /// <summary>The write enqueue printed in 03 section 5.3.</summary>
    [Fact]
    public void RequestHasTheGoldenBytes()
    {
        var request = new LdlmRequest
        {
            LockCount = 1,
            Handle0 = 0x1122334455667788,
            LockDesc = new LdlmLockDesc
            {
                Resource = new LdlmResourceDesc { Type = LockType.Extent, Name = LdlmResId.OfFid(new(0x280000401, 5)) },
                ReqMode = LockMode.PW,
                Policy = LdlmPolicy.Extent(0, 0xfffff),
            },
        };
        var expected = Convert.FromHexString(
            "00000000010000000b00000000000000" + "01040080020000000500000000000000" +
            "00000000000000000000000000000000" + "02000000000000000000000000000000" +
            "ffff0f00000000000000000000000000" + "00000000000000008877665544332211" + "0000000000000000");
        Assert.Equal(expected, MemoryMarshal.AsBytes(new Span<LdlmRequest>(ref request)).ToArray());
    }

    [Fact]
    public void HandlesAreBoundedByTheBuffer()
    {
        Assert.Equal(0, LdlmRequest.Handles(new byte[88]).Length);
        Assert.Equal(2, LdlmRequest.Handles(new byte[104]).Length);
        Assert.Equal(2, LdlmRequest.Handles(new byte[111]).Length);
        Assert.Equal(5, LdlmRequest.Handles(new byte[128]).Length);
    }

    [Fact]
    public void LvbErrorsAreRecognised()
    {
        Assert.Equal(-2, new OstLvb { Blocks = 0xffbadbad7ffffffe }.Error);
        Assert.Equal(0, new OstLvb { Blocks = 8 }.Error);
        var lvb = new OstLvb { ObjectSize = 5, MTime = 7 };
        lvb.MergeMaximum(new OstLvb { ObjectSize = 3, MTime = 9, Blocks = 1 });
        Assert.Equal((5ul, 9L, 1ul), (lvb.ObjectSize, lvb.MTime, lvb.Blocks));
        lvb.MergeMaximum(new OstLvb { ObjectSize = 99, Blocks = 0xffbadbad7ffffffe });
        Assert.Equal(5ul, lvb.ObjectSize);
        Assert.Equal(40ul, OstLvb.Read(MemoryMarshal.AsBytes<ulong>([40, 1, 2, 3, 4])).ObjectSize);
    }
}
