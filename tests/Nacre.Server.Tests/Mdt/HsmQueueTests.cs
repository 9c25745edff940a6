using Nacre.PtlRpc.Wire;
using Nacre.Server.Mdt.Hsm;
using Nacre.Server.Storage;
using Nacre.Server.Tests.MdtService;

namespace Nacre.Server.Tests.Mdt;

public class HsmQueueTests
{
    [Fact]
    public async Task What_has_ended_is_not_handed_out_again_and_takes_no_place()
    {
        await using var server = await MdtServer.StartAsync();
        await server.ConnectAsync();
        var queue = new HsmQueue(new HsmOptions { MaxRunning = 1 }, TimeProvider.System);
        Assert.True(queue.TryRegister(server.Rpc.Exports(server.Target).Single(), archives: null));
        var (first, second) = (Queued(queue, 1), Queued(queue, 2));
        Assert.Equal([first], queue.Assign(max: 10));

        // It ends while others of its batch fail, which are all taken back; or a report's end fails behind its last step.
        queue.Remove(first);
        queue.TakeBack(first);
        queue.WaitAgain(first);

        Assert.Equal([second], queue.Assign(max: 10));
        Assert.Equal(1, queue.Count);
    }

    [Fact]
    public async Task What_is_canceled_before_it_was_delivered_ends()
    {
        await using var server = await MdtServer.StartAsync();
        await server.ConnectAsync();
        var queue = new HsmQueue(new HsmOptions { MaxRunning = 1 }, TimeProvider.System);
        Assert.True(queue.TryRegister(server.Rpc.Exports(server.Target).Single(), archives: null));
        var (first, second) = (Queued(queue, 1), Queued(queue, 2));
        Assert.Equal([first], queue.Assign(max: 10));
        Assert.True(queue.TryCancelRunning(first, out _));

        queue.TakeBack(first);

        Assert.False(queue.TryFind(first.Cookie, out _));
        Assert.Equal([second], queue.Assign(max: 10));
    }

    private static HsmAction Queued(HsmQueue queue, ulong cookie)
    {
        var fid = new LuFid(0x200000401, (uint)cookie, 0);
        var action = new HsmAction(
            new QueuedHsmAction(cookie, HsmUserAction.Archive, fid, ArchiveId: 1, HsmRequestFlags.None, Created: 0, Data: []), layoutLock: null);
        queue.Add(action);
        queue.LetWait(action);
        return action;
    }
}
