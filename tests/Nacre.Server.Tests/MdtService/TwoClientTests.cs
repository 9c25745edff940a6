using Nacre.Ldlm.Wire;
using Nacre.PtlRpc.Wire;
using static Nacre.Server.Tests.MdtService.ScriptedClient;

namespace Nacre.Server.Tests.MdtService;

/// <summary>What one client caches and another changes: the revocation table of 05 sections 10 and 20.4. A change waits until
/// the holder has given its lock back, so nobody ever sees a stale answer.</summary>
public class TwoClientTests
{
    /// <summary>One row: what client 2 does to file "f" (or directory "d") in the root, the lock that is called back, mode and
    /// bits of the request that wants it away.</summary>
    public static TheoryData<string, string, LockMode, ulong> Rows => new()
    {
        { "create", "parent", LockMode.CW, 0x2 },
        { "mkdir", "parent", LockMode.CW, 0x2 },
        { "link", "parent", LockMode.CW, 0x2 },
        { "link", "file", LockMode.EX, 0x22 },
        { "unlink", "parent", LockMode.CW, 0x2 },
        { "unlink", "file", LockMode.EX, 0x3 },
        { "rmdir", "parent", LockMode.CW, 0x2 },
        { "rename", "parent", LockMode.CW, 0x2 },
        { "rename", "file", LockMode.EX, 0x21 },
        { "overwrite", "file", LockMode.EX, 0x3 },
        { "utimes", "file", LockMode.PW, 0x2 },
        { "chmod", "file", LockMode.PW, 0x13 },
        { "chown", "file", LockMode.PW, 0x13 },
        { "setxattr", "file", LockMode.EX, 0x22 },
        { "setacl", "file", LockMode.EX, 0x13 },
    };

    [Theory]
    [MemberData(nameof(Rows))]
    public async Task Change_calls_back_what_the_other_client_caches(string change, string cached, LockMode mode, ulong bits)
    {
        await using var server = await MdtServer.StartAsync();
        var holder = await server.ConnectAsync();
        var changer = await server.ConnectAsync();
        await changer.CreateFileAsync(Root, "f");
        await changer.CreateFileAsync(Root, "other");
        await changer.MkdirAsync(Root, "d");
        holder.CancelsWhenAsked = false;
        var held = cached == "parent" ? await holder.EnqueueReadDirAsync(Root) : await holder.GetAttrAsync(Root, "f");
        Assert.Equal(0, held.Rpc.Status);

        var changing = ChangeAsync(changer, change);
        var callback = await holder.WaitForCallbackAsync();
        Assert.Equal(held.LockHandle, callback.Request.Handle1);
        Assert.Equal((mode, (InodeBits)bits), (callback.Request.LockDesc.ReqMode, callback.Request.LockDesc.Policy.Bits));
        Assert.Equal((InodeBits)bits, callback.Request.LockDesc.Policy.CancelBits);
        // Nothing has changed for anybody while the holder still trusts its cache.
        Assert.False(changing.IsCompleted);
        await holder.CancelAsync(held.LockHandle);
        Assert.Equal(0, await changing);
    }

    private static async Task<int> ChangeAsync(ScriptedClient client, string change)
    {
        LuFid file;
        // By FID and name without taking locks: MDS_GETATTR_NAME.
        var raw = await client.SendAsync(Opcode.MdsGetattrName, Portal.MdsRequest, [Bytes(client.Ask(Root, ObdMd.None)), [], Text("f")]);
        file = raw.Get<MdtBody>(1).Fid1;
        return change switch
        {
            "create" => (await client.OpenAsync(Root, "new", MdsOpen.Creat | MdsOpen.Write)).Result,
            "mkdir" => (await client.MakeAsync(Root, "new", 0x41ed)).Answer.Status,
            "link" => (await client.LinkAsync(file, Root, "second")).Status,
            "unlink" => (await client.UnlinkAsync(Root, "f")).Status,
            "rmdir" => (await client.UnlinkAsync(Root, "d", 0x4000)).Status,
            "rename" => (await client.RenameAsync(Root, "f", Root, "g")).Status,
            "overwrite" => (await client.RenameAsync(Root, "other", Root, "f")).Status,
            "utimes" => (await client.SetAttrAsync(file, MdsAttr.MtimeSet | MdsAttr.CtimeSet, r => r with { Mtime = Now + 9 })).Status,
            "chmod" => (await client.SetAttrAsync(file, MdsAttr.Mode, r => r with { Mode = 0x8180 })).Status,
            "chown" => (await client.SetAttrAsync(file, MdsAttr.Uid, r => r with { Uid = 7 })).Status,
            "setxattr" => (await client.SetXattrAsync(file, "user.k", "v"u8.ToArray())).Status,
            "setacl" => (await client.SetXattrAsync(file, "system.posix_acl_access", XattrTests.Acl(1000, 6))).Status,
            _ => throw new ArgumentException(change),
        };
    }

    [Fact]
    public async Task Reading_together_calls_nothing_back()
    {
        await using var server = await MdtServer.StartAsync();
        var one = await server.ConnectAsync();
        var two = await server.ConnectAsync();
        await one.CreateFileAsync(Root, "f");
        foreach (var client in new[] { one, two })
        {
            await client.EnqueueReadDirAsync(Root);
            await client.GetAttrAsync(Root, "f");
            await client.GetAllXattrsAsync((await client.LookupAsync(Root, "f")).Fid);
            await client.OpenAsync(Root, "f", MdsOpen.Read);
        }
        Assert.Empty(one.Callbacks);
        Assert.Empty(two.Callbacks);
    }

    [Fact]
    public async Task Locks_cancelled_early_are_not_called_back()
    {
        await using var server = await MdtServer.StartAsync();
        var client = await server.ConnectAsync();
        client.CancelsWhenAsked = false; // If it were asked, the operation would hang.
        // Made by somebody else: the lock a create returns would be one more to cancel.
        await (await server.ConnectAsync()).CreateFileAsync(Root, "f");
        var directory = await client.EnqueueReadDirAsync(Root);
        var file = await client.GetAttrAsync(Root, "f");
        var cancels = new byte[LdlmRequest.HandlesOffset + 16];
        BitConverter.GetBytes(2u).CopyTo(cancels, 4);
        BitConverter.GetBytes(directory.LockHandle).CopyTo(cancels, LdlmRequest.HandlesOffset);
        BitConverter.GetBytes(file.LockHandle).CopyTo(cancels, LdlmRequest.HandlesOffset + 8);
        var removed = await client.ReintAsync([Bytes(client.NameRecord(ReintOp.Unlink, Root, default, 0)), [], Text("f"), cancels, []]);
        Assert.Equal(0, removed.Status);
        Assert.Empty(client.Callbacks);
    }

    [Fact]
    public async Task A_name_that_moved_while_waiting_for_its_lock_is_looked_up_again()
    {
        await using var server = await MdtServer.StartAsync();
        var holder = await server.ConnectAsync();
        var changer = await server.ConnectAsync();
        var old = await changer.CreateFileAsync(Root, "f");
        var other = await changer.CreateFileAsync(Root, "other");
        holder.CancelsWhenAsked = false;
        var held = await holder.GetAttrAsync(Root, "f");
        // The overwrite waits for the holder; a lookup behind it must wait too and then see the new file.
        var renaming = changer.RenameAsync(Root, "other", Root, "f");
        await holder.WaitForCallbackAsync();
        var third = await server.ConnectAsync();
        int locks = server.Target.Locks.LockCount;
        var looking = third.GetAttrAsync(Root, "f");
        // Only once the lookup has found the old file and waits for its lock does the rename go on.
        await OpenTests.WaitUntilAsync(() => server.Target.Locks.LockCount > locks);
        await holder.CancelAsync(held.LockHandle);
        Assert.Equal(0, (await renaming).Status);
        var seen = await looking;
        Assert.Equal(0, seen.Rpc.Status);
        Assert.NotEqual(old, seen.Fid);
        Assert.Equal(other, seen.Fid);
        Assert.Equal(seen.Fid.ObjectId, (uint)seen.Reply.LockDesc.Resource.Name.Name1);
    }

    [Fact]
    public async Task A_client_that_is_evicted_stops_holding_up_the_others()
    {
        await using var server = await MdtServer.StartAsync();
        var holder = await server.ConnectAsync();
        var changer = await server.ConnectAsync();
        holder.CancelsWhenAsked = false;
        await holder.EnqueueReadDirAsync(Root);
        var making = changer.MakeAsync(Root, "d", 0x41ed);
        await holder.WaitForCallbackAsync();
        var lost = server.Rpc.Exports(server.Target).Single(e => e.ClientUuid.EndsWith("2", StringComparison.Ordinal));
        server.Rpc.Evict(lost, "test");
        Assert.Equal(0, (await making).Answer.Status);
    }

    [Fact]
    public async Task Storms_of_renames_and_removals_by_two_clients_end()
    {
        await using var server = await MdtServer.StartAsync();
        var clients = new[] { await server.ConnectAsync(), await server.ConnectAsync() };
        var a = await clients[0].MkdirAsync(Root, "a");
        var b = await clients[0].MkdirAsync(Root, "b");
        int seed = Environment.TickCount;
        var workers = clients.Select((client, n) => Task.Run(() => StormAsync(client, a, b, new Random(seed + n)))).ToArray();
        try
        {
            await Task.WhenAll(workers).WaitAsync(TimeSpan.FromSeconds(60));
        }
        catch (Exception failure)
        {
            Assert.Fail($"seed {seed}: {failure}");
        }
        // Nothing is left behind but what the two directories list.
        foreach (var directory in new[] { a, b })
        {
            foreach (var entry in (await clients[0].ReadDirectoryAsync(directory)).Skip(2))
                Assert.Equal(entry.Fid, (await clients[1].LookupAsync(directory, entry.Name)).Fid);
        }
    }

    private static async Task StormAsync(ScriptedClient client, LuFid a, LuFid b, Random random)
    {
        int[] expected = [0, -Errno.ENOENT, -Errno.EEXIST];
        for (int i = 0; i < 300; i++)
        {
            var (from, to) = random.Next(2) == 0 ? (a, b) : (b, a);
            string name = $"n{random.Next(4)}", other = $"n{random.Next(4)}";
            int status = random.Next(5) switch
            {
                0 => (await client.OpenAsync(from, name, MdsOpen.Creat | MdsOpen.Write)) is var opened && opened.Handle != 0
                    ? (await client.CloseAsync(opened)).Status
                    : opened.Result,
                1 => (await client.RenameAsync(from, name, to, other)).Status,
                2 => (await client.RenameAsync(from, name, from, other)).Status,
                3 => (await client.UnlinkAsync(from, name)).Status,
                _ => (await client.GetAttrAsync(from, name)).Result,
            };
            Assert.Contains(status, expected);
        }
    }
}
