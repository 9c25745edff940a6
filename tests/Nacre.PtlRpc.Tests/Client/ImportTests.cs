using System.Collections.Concurrent;
using Nacre.PtlRpc.Wire;
using Nacre.Testing;
using Nacre.Testing.Rpc;

namespace Nacre.PtlRpc.Tests.Client;

/// <summary>The client side against our server.</summary>
public class ImportTests
{
    private readonly FakeTarget _mdt = new(TargetKind.Mdt, "demo01-MDT0000_UUID");
    private readonly FakeTarget _ost = new(TargetKind.Ost, "demo01-OST0000_UUID");
    private readonly FakeTarget _mgs = new(TargetKind.Mgs, "MGS");

    [Fact]
    public async Task ItConnectsPingsAndDisconnects()
    {
        await using var network = await RpcNetwork.StartAsync(_mgs, _mdt, _ost);
        var client = await network.AddClientAsync();
        foreach (var target in new[] { _mgs, _mdt, _ost })
        {
            var import = Create(network, client, target);
            await import.ConnectAsync().Within();
            Assert.Equal(ImportState.Full, import.State);
            Assert.Equal(network.Server.Exports(target).Single().Handle, import.ServerHandle);
            await import.PingAsync().AsTask().Within();
            await import.DisconnectAsync().AsTask().Within();
            Assert.Equal(ImportState.Closed, import.State);
            Assert.Equal(["connected " + import.Options.ClientUuid, "Disconnected " + import.Options.ClientUuid], target.Events);
        }
    }

    [Fact]
    public async Task RequestsWaitForTheConnection()
    {
        await using var network = await RpcNetwork.StartAsync(_mdt.On(Opcode.MdsGetattr, request => request.StartReply(216, 0, 0, 0, 0, 0)));
        var client = await network.AddClientAsync();
        var import = Create(network, client, _mdt);
        await Assert.ThrowsAsync<RpcException>(() => import.PingAsync().AsTask());

        var connecting = import.ConnectAsync();
        using var reply = await import.SendAsync(Getattr()).AsTask().Within();
        await connecting.Within();

        Assert.Equal((0, 7), (reply.Status, reply.BufferCount));
        Assert.Equal(216, reply.BufferLength(1));
    }

    [Fact]
    public async Task RepliesMayBeNegative()
    {
        await using var network = await RpcNetwork.StartAsync(_mdt.On(Opcode.MdsGetattr, request => request.Status = -Errno.ENOENT));
        var import = await ConnectAsync(network, _mdt);

        using var reply = await import.SendAsync(Getattr()).AsTask().Within();

        Assert.Equal(-Errno.ENOENT, reply.Status);
        var failure = Assert.Throws<RpcException>(() => reply.ThrowIfFailed());
        Assert.Equal((Errno.ENOENT, false), (failure.Errno, failure.RpcLevel));
    }

    [Fact]
    public async Task ManyRequestsAtATimeAreToldApart()
    {
        _mdt.On(Opcode.MdsGetattr, async request =>
        {
            if (request.Buffer(1)[0] % 3 == 0)
            {
                await Task.Yield();
            }

            request.StartReply(216);
            request.Buffer(1).CopyTo(request.ReplyBuffer(1));
        });
        await using var network = await RpcNetwork.StartAsync(_mdt);
        var import = await ConnectAsync(network, _mdt);

        await Task.WhenAll(Enumerable.Range(0, 8).Select(async worker =>
        {
            var call = new RpcCall(Opcode.MdsGetattr);
            for (var i = 0; i < 200; i++)
            {
                call.Restart(Opcode.MdsGetattr, 216, 0);
                call.Buffer(1).Fill((byte)(worker + i));
                using var reply = await import.SendAsync(call);
                Assert.Equal(call.Buffer(1).ToArray(), reply.Buffer(1).ToArray());
            }
        })).Within();
    }

    [Fact]
    public async Task AReplyThatDoesNotFitIsFetchedAgain()
    {
        var seen = new ConcurrentQueue<(ulong Xid, bool Resent)>();
        _mdt.On(Opcode.MdsGetattr, request =>
        {
            seen.Enqueue((request.Xid, request.IsResent));
            request.StartReply(216, 30_000);
            request.ReplyBuffer(2).Fill(5);
        });
        await using var network = await RpcNetwork.StartAsync(_mdt);
        var import = await ConnectAsync(network, _mdt);

        using var reply = await import.SendAsync(Getattr()).AsTask().Within();

        Assert.Equal(Enumerable.Repeat((byte)5, 30_000), reply.Buffer(2).ToArray());
        Assert.Equal([false, true], seen.Select(s => s.Resent));
        Assert.Single(seen.Select(s => s.Xid).Distinct());
    }

    [Fact]
    public async Task UnansweredRequestsAreSentAgainAfterAReconnect()
    {
        await using var network = await RpcNetwork.StartAsync(_mdt);
        var import = await ConnectAsync(network, _mdt);
        var release = new TaskCompletionSource();
        _mdt.On(Opcode.MdsGetattr, async _ => await release.Task);

        var waiting = import.SendAsync(Getattr()).AsTask();
        await Eventually.TrueAsync(() => network.Server.WaitingBytes > 0);
        import.Reconnect();
        await Eventually.TrueAsync(() => network.Server.Counters(_mdt).Duplicates == 1);
        release.SetResult();

        using var reply = await waiting.Within();
        Assert.Equal(0, reply.Status);
        Assert.Equal(2u, import.ConnectionCount);
        Assert.Contains("reconnected " + import.Options.ClientUuid, _mdt.Events);
    }

    [Fact]
    public async Task ATimeoutReconnectsAndAnswersAreFoundByTheResend()
    {
        var runs = 0;
        _mdt.On(
            Opcode.MdsReint,
            request =>
            {
                if (Interlocked.Increment(ref runs) == 1)
                {
                    request.Drop();
                }

                request.Transno = _mdt.NextTransno();
            },
            modifies: true);
        await using var network = await RpcNetwork.StartAsync(_mdt);
        var import = await ConnectAsync(network, _mdt);

        var call = import.SendAsync(new RpcCall(Opcode.MdsReint, 136)).AsTask();
        await network.AdvanceUntilAsync(() => call.IsCompleted, TimeSpan.FromSeconds(30));

        using var reply = await call;
        Assert.Equal(2, runs);
        Assert.Equal(2u, import.ConnectionCount);
    }

    [Fact]
    public async Task EarlyRepliesKeepItWaiting()
    {
        var release = new TaskCompletionSource();
        await using var network = await RpcNetwork.StartAsync(_mdt.On(Opcode.MdsGetattr, async _ => await release.Task));
        var import = await ConnectAsync(network, _mdt);

        var call = import.SendAsync(Getattr()).AsTask();
        await network.AdvanceUntilAsync(() => network.Server.Counters(_mdt).EarlyReplies == 5);
        release.SetResult();

        using var reply = await call.Within();
        Assert.Equal(1u, import.ConnectionCount);
    }

    [Fact]
    public async Task AnEvictedClientLosesItsRequestsAndGoesOn()
    {
        var evictions = 0;
        var release = new TaskCompletionSource();
        await using var network = await RpcNetwork.StartAsync(_mdt.On(Opcode.MdsGetattr, async _ => await release.Task));
        var client = await network.AddClientAsync();
        var import = client.CreateImport(Options(network, _mdt) with { OnEvicted = _ => evictions++ });
        await import.ConnectAsync().Within();
        var old = import.ServerHandle;
        var lost = import.SendAsync(Getattr()).AsTask();
        await Eventually.TrueAsync(() => network.Server.WaitingBytes > 0);

        network.Server.Evict(network.Server.Exports(_mdt).Single(), "the test says so");
        // A ping finds out; it is lost with the rest.
        var ping = await Assert.ThrowsAsync<RpcException>(() => import.PingAsync().AsTask().Within());
        var failure = await Assert.ThrowsAsync<RpcException>(() => lost.Within());

        Assert.Equal((Errno.EIO, Errno.EIO), (ping.Errno, failure.Errno));
        await import.PingAsync().AsTask().Within();
        Assert.Equal(1, evictions);
        Assert.NotEqual(old, import.ServerHandle);
        release.SetResult();
    }

    [Fact]
    public async Task InProgressIsTriedAgainAsANewRequest()
    {
        var xids = new ConcurrentQueue<ulong>();
        _mdt.On(Opcode.MdsGetattr, request =>
        {
            xids.Enqueue(request.Xid);
            request.Status = xids.Count < 3 ? -Errno.EINPROGRESS : 0;
        });
        await using var network = await RpcNetwork.StartAsync(_mdt);
        var import = await ConnectAsync(network, _mdt);

        var call = import.SendAsync(Getattr()).AsTask();
        await network.AdvanceUntilAsync(() => call.IsCompleted, TimeSpan.FromSeconds(10));

        using var reply = await call;
        Assert.Equal(0, reply.Status);
        Assert.Equal(3, xids.Distinct().Count());
    }

    [Fact]
    public async Task SlotsLimitModifications()
    {
        var (running, most) = (0, 0);
        var tags = new ConcurrentDictionary<ushort, bool>();
        _mdt.On(
            Opcode.MdsReint,
            async request =>
            {
                most = Math.Max(most, Interlocked.Increment(ref running));
                tags[request.Body.Tag] = true;
                await Task.Yield();
                Interlocked.Decrement(ref running);
            },
            modifies: true);
        await using var network = await RpcNetwork.StartAsync(_mdt);
        var import = await ConnectAsync(network, _mdt);

        await Task.WhenAll(Enumerable.Range(0, 40).Select(async _ =>
        {
            using var reply = await import.SendAsync(new RpcCall(Opcode.MdsReint, 136));
            Assert.Equal(0, reply.Status);
        })).Within();

        Assert.InRange(most, 1, 8);
        Assert.All(tags.Keys, tag => Assert.InRange(tag, 1, 8));
    }

    [Theory]
    [InlineData(true, 1)]
    [InlineData(true, 4)]
    [InlineData(false, 4)]
    public async Task BulkIsMovedBothWays(bool bulkMbits, int descriptors)
    {
        _ost.Grants = bulkMbits ? (ConnectFlags)ulong.MaxValue : ~ConnectFlags.BulkMbits;
        var stored = Enumerable.Range(0, descriptors).Select(_ => new byte[1 << 20]).ToArray();
        _ost.On(Opcode.OstWrite, async request =>
            await request.PullBulkAsync(Portal.OstBulk, stored.Select(buffer => buffer.AsMemory()).ToArray(), 4));
        _ost.On(Opcode.OstRead, async request => request.Status = await request.PushBulkAsync(
            Portal.OstBulk, stored.Select(buffer => (ReadOnlyMemory<byte>)buffer).ToArray(), 4));
        await using var network = await RpcNetwork.StartAsync(_ost);
        var import = await ConnectAsync(network, _ost);

        var written = Enumerable.Range(0, descriptors).Select(Content).ToArray();
        var write = new RpcCall(Opcode.OstWrite, 208, 24, 16, 0, 0);
        write.SetBulk(BulkDirection.Write, Portal.OstBulk, written.Select(buffer => buffer.AsMemory()).ToArray(), 4);
        using (var reply = await import.SendAsync(write).AsTask().Within())
        {
            Assert.Equal((0, descriptors << 20), (reply.Status, reply.BulkBytes));
        }

        var read = Enumerable.Range(0, descriptors).Select(_ => new byte[1 << 20]).ToArray();
        var call = new RpcCall(Opcode.OstRead, 208, 24, 16, 0, 0);
        call.SetBulk(BulkDirection.Read, Portal.OstBulk, read.Select(buffer => buffer.AsMemory()).ToArray(), 4);
        call.SumBulk = BrwChecksumType.Crc32C;
        using (var reply = await import.SendAsync(call).AsTask().Within())
        {
            Assert.Equal((descriptors << 20, descriptors << 20), (reply.Status, reply.BulkBytes));
            // Only of one descriptor: several arrive in any order.
            Assert.Equal(descriptors == 1 ? BrwChecksum.Compute(BrwChecksumType.Crc32C, read[0]) : null, reply.BulkSum);
        }

        Assert.Equal(written, read);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task BulkIsRepeatedAfterAReconnect(bool bulkMbits)
    {
        _ost.Grants = bulkMbits ? (ConnectFlags)ulong.MaxValue : ~ConnectFlags.BulkMbits;
        var runs = 0;
        var stored = new byte[2][];
        _ost.On(Opcode.OstWrite, async request =>
        {
            if (Interlocked.Increment(ref runs) == 1)
            {
                request.Drop();
                return;
            }

            stored = [new byte[1 << 20], new byte[100]];
            await request.PullBulkAsync(Portal.OstBulk, stored.Select(buffer => buffer.AsMemory()).ToArray(), 4);
        });
        await using var network = await RpcNetwork.StartAsync(_ost);
        var import = await ConnectAsync(network, _ost);
        byte[][] written = [Content(1), Content(2)[..100]];
        var write = new RpcCall(Opcode.OstWrite, 208, 24, 16, 0, 0);
        write.SetBulk(BulkDirection.Write, Portal.OstBulk, written.Select(buffer => buffer.AsMemory()).ToArray(), 4);

        var call = import.SendAsync(write).AsTask();
        await Eventually.TrueAsync(() => runs == 1);
        import.Reconnect();

        using var reply = await call.Within();
        Assert.Equal(0, reply.Status);
        Assert.Equal(written, stored);
    }

    [Fact]
    public async Task ACallCanBeGivenUp()
    {
        var release = new TaskCompletionSource();
        await using var network = await RpcNetwork.StartAsync(_mdt.On(Opcode.MdsGetattr, async _ => await release.Task));
        var import = await ConnectAsync(network, _mdt);
        using var giveUp = new CancellationTokenSource();

        var call = import.SendAsync(Getattr(), giveUp.Token).AsTask();
        await Eventually.TrueAsync(() => network.Server.WaitingBytes > 0);
        await giveUp.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call.Within());
        release.SetResult();
        await import.PingAsync().AsTask().Within();
    }

    [Fact]
    public async Task AnIdleImportPings()
    {
        await using var network = await RpcNetwork.StartAsync(_mdt);
        var import = await ConnectAsync(network, _mdt);
        var requests = network.Server.Counters(_mdt).Requests;

        await network.AdvanceAsync(TimeSpan.FromSeconds(24));
        Assert.Equal(requests, network.Server.Counters(_mdt).Requests);
        await network.AdvanceUntilAsync(() => network.Server.Counters(_mdt).Requests > requests, TimeSpan.FromSeconds(5));
        Assert.Equal(ImportState.Full, import.State);
    }

    [Fact]
    public async Task AnIdleImportThatMustNotLeavePings()
    {
        await using var network = await RpcNetwork.StartAsync(_ost);
        var client = await network.AddClientAsync();
        var import = client.CreateImport(Options(network, _ost) with { IdleTimeout = TimeSpan.FromSeconds(20), MayIdle = static () => false });
        await import.ConnectAsync().Within();
        var requests = network.Server.Counters(_ost).Requests;

        await network.AdvanceUntilAsync(() => network.Server.Counters(_ost).Requests > requests, TimeSpan.FromSeconds(60));
        Assert.Equal(ImportState.Full, import.State);
    }

    [Fact]
    public async Task AnIdleImportMayLeaveAndComesBackWhenItIsNeeded()
    {
        await using var network = await RpcNetwork.StartAsync(_ost.On(Opcode.OstStatfs, request => request.StartReply(ObdStatfs.Size)));
        var client = await network.AddClientAsync();
        var import = client.CreateImport(Options(network, _ost) with { IdleTimeout = TimeSpan.FromSeconds(20) });
        await import.ConnectAsync().Within();

        await network.AdvanceUntilAsync(() => import.State == ImportState.Idle, TimeSpan.FromSeconds(60));
        Assert.Empty(network.Server.Exports(_ost));

        using var reply = await import.SendAsync(new RpcCall(Opcode.OstStatfs)).AsTask().Within();
        Assert.Equal(0, reply.Status);
        Assert.Equal(2u, import.ConnectionCount);
        Assert.Equal(ImportState.Full, import.State);
    }

    [Fact]
    public async Task ItTriesUntilTheTargetIsThere()
    {
        await using var network = await RpcNetwork.StartAsync(_ost);
        var client = await network.AddClientAsync();
        var import = Create(network, client, _mdt);
        network.Server.AddTarget(new FakeTarget(TargetKind.Mdt, "other-MDT0000_UUID"));

        var connecting = import.ConnectAsync();
        await network.AdvanceUntilAsync(() => import.LastConnectErrno == Errno.ENODEV, TimeSpan.FromSeconds(30));
        network.Server.AddTarget(_mdt);
        await network.AdvanceUntilAsync(() => connecting.IsCompleted, TimeSpan.FromSeconds(30));

        Assert.Equal(ImportState.Full, import.State);
        Assert.Equal(0, import.LastConnectErrno);
    }

    [Fact]
    public async Task ItGivesUpWhereItIsRefusedForGood()
    {
        await using var network = await RpcNetwork.StartAsync(_mdt);
        _mdt.OnNegotiate = (_, _) => throw new RpcException(Errno.EACCES);
        var client = await network.AddClientAsync();
        var import = Create(network, client, _mdt);

        var failure = await Assert.ThrowsAsync<RpcException>(() => import.ConnectAsync().Within());

        Assert.Equal((Errno.EACCES, ImportState.Closed), (failure.Errno, import.State));
    }

    [Fact]
    public async Task ClosingFailsWhatIsUnderWay()
    {
        var release = new TaskCompletionSource();
        await using var network = await RpcNetwork.StartAsync(_mdt.On(Opcode.MdsGetattr, async _ => await release.Task));
        var import = await ConnectAsync(network, _mdt);
        var call = import.SendAsync(Getattr()).AsTask();
        await Eventually.TrueAsync(() => network.Server.WaitingBytes > 0);

        await import.DisposeAsync();

        Assert.Equal(Errno.ESHUTDOWN, (await Assert.ThrowsAsync<RpcException>(() => call.Within())).Errno);
        Assert.Equal(Errno.ESHUTDOWN, (await Assert.ThrowsAsync<RpcException>(() => import.SendAsync(Getattr()).AsTask())).Errno);
        release.SetResult();
    }

    [Fact]
    public async Task LastXidNamesTheOldestUnansweredRequest()
    {
        var release = new TaskCompletionSource();
        var lastXids = new ConcurrentQueue<(ulong Xid, ulong LastXid)>();
        _mdt.On(Opcode.MdsGetattr, async request =>
        {
            lastXids.Enqueue((request.Xid, request.Body.LastXid));
            await release.Task;
        });
        _mdt.On(Opcode.MdsSync, request => lastXids.Enqueue((request.Xid, request.Body.LastXid)));
        await using var network = await RpcNetwork.StartAsync(_mdt);
        var import = await ConnectAsync(network, _mdt);

        var waiting = import.SendAsync(Getattr()).AsTask();
        await Eventually.TrueAsync(() => network.Server.WaitingBytes > 0);
        (await import.SendAsync(new RpcCall(Opcode.MdsSync, 216, 0)).AsTask().Within()).Dispose();
        release.SetResult();
        (await waiting.Within()).Dispose();
        (await import.SendAsync(new RpcCall(Opcode.MdsSync, 216, 0)).AsTask().Within()).Dispose();

        var seen = lastXids.ToArray();
        Assert.Equal(seen[0].Xid - 1, seen[0].LastXid);
        Assert.Equal(seen[0].Xid - 1, seen[1].LastXid);
        Assert.Equal(seen[2].Xid - 1, seen[2].LastXid);
    }

    private static RpcCall Getattr() => new(Opcode.MdsGetattr, 216, 0);

    private static byte[] Content(int index)
    {
        var bytes = new byte[1 << 20];
        new Random(index).NextBytes(bytes);
        return bytes;
    }

    private static ImportOptions Options(RpcNetwork network, FakeTarget target) => new()
    {
        TargetUuid = target.Uuid,
        Kind = target.Kind,
        Peer = network.ServerPeer,
        ClientUuid = Guid.NewGuid().ToString(),
        Wanted = target.Kind switch
        {
            TargetKind.Mgs => ImportOptions.MgsWanted,
            TargetKind.Mdt => ImportOptions.MdtWanted,
            _ => ImportOptions.OstWanted,
        },
    };

    private static Import Create(RpcNetwork network, RpcClient client, FakeTarget target) =>
        client.CreateImport(Options(network, target));

    private static async Task<Import> ConnectAsync(RpcNetwork network, FakeTarget target)
    {
        var import = Create(network, await network.AddClientAsync(), target);
        await import.ConnectAsync().Within();
        return import;
    }
}
