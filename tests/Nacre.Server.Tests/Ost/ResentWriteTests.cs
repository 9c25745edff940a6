using Nacre.PtlRpc.Wire;

namespace Nacre.Server.Tests.Ost;

/// <summary>What a client says about a write being a resend is not taken on trust (06 section 5.4).</summary>
public class ResentWriteTests
{
    private const long Capacity = 2 << 20;
    private const int Piece = 256 << 10;

    [Theory]
    [InlineData(ObdoFlags.RecoverableResend, 0ul)]
    [InlineData(ObdoFlags.RecoverableResend, 1ul)]
    [InlineData((ObdoFlags)0, 1ul)]
    public async Task Nobody_writes_beyond_the_capacity_by_calling_it_a_resend(ObdoFlags flags, ulong used)
    {
        await using var ost = await OstFixture.StartAsync(capacity: Capacity);
        var client = await ost.ConnectAsync();
        int accepted = 0;
        for (int i = 0; i < 32; i++)
        {
            if (await TryWriteAsync(client, (long)i * Piece, flags, used)) accepted++;
        }
        Assert.InRange(accepted, 1, (int)(Capacity / Piece));
        Assert.True(ost.Store.Space().Used <= Capacity);
    }

    [Fact]
    public async Task A_resend_of_what_is_on_disk_passes_on_a_full_target()
    {
        await using var ost = await OstFixture.StartAsync(capacity: Capacity);
        var client = await ost.ConnectAsync(wanted => wanted with { Grant = 0 });
        int stored = 0;
        while (await TryWriteAsync(client, (long)stored * Piece, 0, 0)) stored++;
        Assert.True(stored > 0);
        for (int i = 0; i < stored; i++)
            Assert.True(await TryWriteAsync(client, (long)i * Piece, ObdoFlags.RecoverableResend, Piece + (24 << 10)));
        // One more may fit without the tax; after it there is no room whatever is claimed.
        await TryWriteAsync(client, (long)stored * Piece, ObdoFlags.RecoverableResend, Piece + (24 << 10));
        Assert.False(await TryWriteAsync(client, (long)(stored + 1) * Piece, ObdoFlags.RecoverableResend, Piece + (24 << 10)));
        Assert.True(ost.Store.Space().Used <= Capacity);
    }

    private static async Task<bool> TryWriteAsync(OstClient client, long offset, ObdoFlags flags, ulong used)
    {
        var oa = OstClient.Object(ObdoValid.Grant | ObdoValid.Flags);
        oa.Flags = flags;
        oa.GrantUsed = used;
        try
        {
            var marks = NiobufFlags.Async | (used > 0 || flags != 0 ? NiobufFlags.FromGrant : 0);
            await client.WriteAsync(offset, new byte[Piece], marks, oa);
            return true;
        }
        catch (FsException refused)
        {
            Assert.Equal(Errno.ENOSPC, refused.Errno);
            return false;
        }
    }
}
