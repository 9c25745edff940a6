using Nacre.Ldlm.Wire;
using Nacre.PtlRpc.Wire;
using Nacre.Server.Mdt.Hsm;
using static Nacre.Server.Tests.MdtService.ScriptedClient;

namespace Nacre.Server.Tests.MdtService;

/// <summary>HSM over the wire: states, the queue, copytools, release and restore (07 sections 3 to 9).</summary>
public class HsmTests
{
    private const ulong Version = 0x10000001d;
    private const HsmStates ExistsArchived = HsmStates.Exists | HsmStates.Archived;

    private static LovLayout Decode(byte[] ea)
    {
        Assert.True(LovCodec.TryDecode(ea, userForm: false, out var layout));
        return layout;
    }

    /// <summary>A file that is archived and released, and the copytool's client.</summary>
    private static async Task<(ScriptedClient Agent, LuFid Fid, byte[] Layout)> ReleasedAsync(MdtServer server, string name = "f")
    {
        var agent = await server.ConnectAsync();
        Assert.Equal(0, await agent.RegisterCopytoolAsync());
        var fid = await agent.CreateFileAsync(Root, name);
        await agent.ArchiveAsync(fid, Version);
        var lease = await LeaseAsync(agent, fid);
        Assert.Equal((0, (Disp)0x600002b), (lease.Result, lease.Disposition));
        var closed = await agent.ReleaseCloseAsync(lease, await agent.NewFidAsync(), Version, 131072);
        Assert.Equal((0, ObdMd.CloseIntentExeced), (closed.Status, closed.Get<MdtBody>(1).Valid));
        return (agent, fid, (await agent.GetAttrAsync(fid)).Layout);
    }

    private static Task<IntentAnswer> LeaseAsync(ScriptedClient client, LuFid fid) =>
        client.OpenByFidAsync(fid, MdsOpen.Write | MdsOpen.Lock | MdsOpen.Lease | MdsOpen.Release);

    [Fact]
    public async Task An_archive_goes_to_the_copytool_and_its_report_marks_the_file()
    {
        await using var server = await MdtServer.StartAsync();
        var (user, agent) = (await server.ConnectAsync(), await server.ConnectAsync());
        var fid = await user.CreateFileAsync(Root, "f");
        Assert.Equal(HsmStates.None, (await user.HsmStateAsync(fid)).States);
        Assert.Equal(0, (await user.HsmRequestAsync(HsmUserAction.Archive, 0, [.. "opaque"u8], [fid])).Status);
        Assert.Equal((HsmProgressState.Waiting, HsmUserAction.Archive), Current(await user.HsmActionAsync(fid)));

        Assert.Equal(0, await agent.RegisterCopytoolAsync(1));
        var told = await agent.NextActionAsync();
        Assert.Equal((HsmCopytoolAction.Archive, fid, fid), (told.Item.Action, told.Item.Fid, told.Item.DataFid));
        Assert.Equal((1u, "test01"), (told.ArchiveId, told.FileSystem));
        Assert.Equal("opaque"u8.ToArray(), told.Data);
        Assert.Equal((HsmStates.Exists, 1u), State(await user.HsmStateAsync(fid)));
        Assert.Equal(0, (await agent.HsmReportAsync(told.Item.Cookie, fid, completed: false, moved: 4096)).Status);
        var running = await user.HsmActionAsync(fid);
        Assert.Equal((HsmProgressState.Running, HsmUserAction.Archive), Current(running));
        Assert.Equal(4096ul, running.Extent.Length);

        var done = await agent.HsmReportAsync(told.Item.Cookie, fid, completed: true, version: Version);
        Assert.Equal(0, done.Status);
        Assert.NotEqual(0ul, done.Transno);
        Assert.Equal((ExistsArchived, 1u), State(await user.HsmStateAsync(fid)));
        Assert.Equal(HsmUserAction.None, (await user.HsmActionAsync(fid)).Action);
        Assert.Equal(-Errno.ENOENT, (await agent.HsmReportAsync(told.Item.Cookie, fid, completed: true)).Status);
    }

    [Fact]
    public async Task An_archive_that_is_not_needed_is_not_queued_and_one_of_a_changed_file_is()
    {
        await using var server = await MdtServer.StartAsync();
        var agent = await server.ConnectAsync();
        Assert.Equal(0, await agent.RegisterCopytoolAsync());
        var fid = await agent.CreateFileAsync(Root, "f");
        await agent.ArchiveAsync(fid, Version);
        Assert.Equal(0, (await agent.HsmRequestAsync(HsmUserAction.Archive, fid)).Status);
        Assert.Equal(HsmUserAction.None, (await agent.HsmActionAsync(fid)).Action);

        var opened = await agent.OpenAsync(Root, "f", MdsOpen.Write);
        await agent.CloseAsync(opened, r => r with { Bias = MdsBias.DataModified });
        Assert.Equal(ExistsArchived | HsmStates.Dirty, (await agent.HsmStateAsync(fid)).States);
        await agent.ArchiveAsync(fid, Version + 1);
        Assert.Equal(ExistsArchived, (await agent.HsmStateAsync(fid)).States);
    }

    [Theory]
    [InlineData("close", true)]
    [InlineData("truncate", true)]
    [InlineData("chmod", false)]
    [InlineData("close without writing", false)]
    public async Task What_makes_an_archived_file_dirty(string change, bool dirty)
    {
        await using var server = await MdtServer.StartAsync();
        var agent = await server.ConnectAsync();
        Assert.Equal(0, await agent.RegisterCopytoolAsync());
        var fid = await agent.CreateFileAsync(Root, "f");
        await agent.ArchiveAsync(fid, Version);
        switch (change)
        {
            case "chmod":
                await agent.SetAttrAsync(fid, MdsAttr.Mode, r => r with { Mode = 0x8180 });
                break;
            case "truncate":
                await agent.SetAttrAsync(fid, MdsAttr.Size, r => r with { ObjectSize = 9, Bias = MdsBias.DataModified });
                break;
            default:
                var opened = await agent.OpenAsync(Root, "f", MdsOpen.Write);
                await agent.CloseAsync(opened, r => r with { Bias = change == "close" ? MdsBias.DataModified : MdsBias.None });
                break;
        }
        Assert.Equal(dirty, (await agent.HsmStateAsync(fid)).States.HasFlag(HsmStates.Dirty));
    }

    [Fact]
    public async Task A_release_keeps_size_and_times_and_queues_the_objects_for_destruction()
    {
        await using var server = await MdtServer.StartAsync();
        var (agent, fid, _) = await ReleasedAsync(server);
        var found = await agent.GetAttrAsync(fid);
        var layout = Decode(found.Layout);
        Assert.All(layout.Components, c => Assert.True(c.IsReleased));
        Assert.Empty(layout.Objects());
        Assert.Equal((131072ul, 1ul), (found.Body.ObjectSize, found.Body.Blocks));
        Assert.Equal((Now + 5, Now + 6, Now + 7), (found.Body.Mtime, found.Body.Atime, found.Body.Ctime));
        Assert.Equal(ObdMd.FlSize | ObdMd.FlBlocks, found.Body.Valid & (ObdMd.FlSize | ObdMd.FlBlocks));
        Assert.Equal((ObdMd.TState, 0ul), (found.Body.Valid & ObdMd.TState, found.Body.TState));
        Assert.Equal(ExistsArchived | HsmStates.Released, (await agent.HsmStateAsync(fid)).States);
        await OpenTests.WaitUntilAsync(() => server.Osts.Sum(o => o.Destroyed.Count) == 1);
        // Opening it for writing makes no objects.
        var opened = await agent.OpenAsync(Root, "f", MdsOpen.Write);
        Assert.All(Decode(opened.Layout).Components, c => Assert.True(c.IsReleased));
    }

    [Theory]
    [InlineData("version")]
    [InlineData("dirty")]
    [InlineData("norelease")]
    [InlineData("never archived")]
    public async Task A_release_is_refused(string why)
    {
        await using var server = await MdtServer.StartAsync();
        var agent = await server.ConnectAsync();
        Assert.Equal(0, await agent.RegisterCopytoolAsync());
        var fid = await agent.CreateFileAsync(Root, "f");
        if (why != "never archived")
            await agent.ArchiveAsync(fid, Version);
        if (why is "dirty" or "norelease")
            Assert.Equal(0, await agent.SetHsmStateAsync(fid, why == "dirty" ? HsmStates.Dirty : HsmStates.NoRelease));
        var lease = await LeaseAsync(agent, fid);
        if (why == "version")
        {
            var closed = await agent.ReleaseCloseAsync(lease, await agent.NewFidAsync(), Version + 1, 5);
            Assert.Equal(-Errno.EPERM, closed.Status);
        }
        else
        {
            Assert.Equal(-Errno.EPERM, lease.Result);
        }
        Assert.False((await agent.HsmStateAsync(fid)).States.HasFlag(HsmStates.Released));
        Assert.Equal(0, (await agent.OpenAsync(Root, "f", MdsOpen.Write)).Result);
    }

    [Fact]
    public async Task A_lease_is_given_once_not_beside_writers_and_broken_by_the_next_open()
    {
        await using var server = await MdtServer.StartAsync();
        var (agent, other) = (await server.ConnectAsync(), await server.ConnectAsync());
        Assert.Equal(0, await agent.RegisterCopytoolAsync());
        var fid = await agent.CreateFileAsync(Root, "f");
        await agent.ArchiveAsync(fid, Version);

        var writer = await other.OpenAsync(Root, "f", MdsOpen.Write);
        Assert.Equal(-Errno.EBUSY, (await LeaseAsync(agent, fid)).Result);
        await other.CloseAsync(writer);
        var lease = await LeaseAsync(agent, fid);
        Assert.Equal((0, LockMode.PW, InodeBits.Open), (lease.Result, lease.Mode, lease.Bits));

        var reader = await other.OpenAsync(Root, "f", MdsOpen.Read);
        Assert.Equal(0, reader.Result);
        Assert.Equal(lease.LockHandle, (await agent.WaitForCallbackAsync()).Request.Handle1);
        var closed = await agent.ReleaseCloseAsync(lease, await agent.NewFidAsync(), Version, 5);
        Assert.Equal(-Errno.ESTALE, closed.Status);
        Assert.Equal(ExistsArchived, (await agent.HsmStateAsync(fid)).States);
    }

    [Fact]
    public async Task A_restore_holds_the_layout_until_the_data_is_there()
    {
        await using var server = await MdtServer.StartAsync();
        var (agent, fid, before) = await ReleasedAsync(server);
        var reader = await server.ConnectAsync();
        var opened = await reader.OpenAsync(Root, "f", MdsOpen.Read);
        Assert.Equal(0, opened.Result);
        Assert.Equal(0, (await reader.HsmRequestAsync(HsmUserAction.Restore, fid)).Status);
        // A second reader does not make a second copy.
        Assert.Equal(0, (await reader.HsmRequestAsync(HsmUserAction.Restore, fid)).Status);
        var waiting = await reader.LayoutAsync(fid, LayoutIntentOp.Access);
        Assert.Equal((0, LockMode.None), (waiting.Rpc.Status, waiting.Mode));
        var told = await agent.NextActionAsync();
        Assert.Equal(HsmCopytoolAction.Restore, told.Item.Action);
        var seen = await reader.GetAttrAsync(fid);
        Assert.Equal((131072ul, 1ul), (seen.Body.ObjectSize, seen.Body.TState));
        Assert.Equal(InodeBits.None, seen.Bits & InodeBits.Layout);

        var target = await agent.OpenAsync(
            Root, "", MdsOpen.Creat | MdsOpen.Write | MdsOpen.Volatile, fid: await agent.NewFidAsync());
        Assert.Equal(0, (await agent.HsmReportAsync(told.Item.Cookie, fid, completed: false)).Status);
        Assert.Equal(0, (await agent.HsmReportAsync(told.Item.Cookie, target.Fid, completed: false)).Status);
        Assert.Equal(-Errno.EINVAL, await agent.SetHsmStateAsync(target.Fid, HsmStates.Dirty));
        var done = await agent.HsmReportAsync(told.Item.Cookie, target.Fid, completed: true, version: 77);
        Assert.Equal(0, done.Status);
        Assert.NotEqual(0ul, done.Transno);

        Assert.Equal(fid, (await reader.WaitForCallbackAsync(Opcode.LdlmCpCallback)).Request.LockDesc.Resource.Name.ToFid());
        var after = await reader.GetAttrAsync(fid);
        var layout = Decode(after.Layout);
        Assert.NotEmpty(layout.Objects());
        Assert.True(layout.EffectiveGeneration > Decode(before).EffectiveGeneration);
        Assert.Equal((fid.Sequence, (ulong)fid.ObjectId), (layout.Components[0].OiSeq, layout.Components[0].OiId));
        Assert.Equal(Decode(target.Layout).Objects().First().Object, layout.Objects().First().Object);
        Assert.Equal(ExistsArchived, (await reader.HsmStateAsync(fid)).States);
        Assert.Empty(agent.Told);

        // The volatile file goes without the objects that are the file's now.
        await agent.CloseAsync(target);
        var other = await agent.CreateFileAsync(Root, "other");
        var others = Decode((await agent.GetAttrAsync(other)).Layout).Objects().Single().Object;
        await agent.UnlinkAsync(Root, "other");
        await OpenTests.WaitUntilAsync(() => server.Osts.Any(o => o.Destroyed.Contains(others)));
        Assert.DoesNotContain(layout.Objects().First().Object, server.Osts.SelectMany(o => o.Destroyed));
    }

    [Fact]
    public async Task A_file_can_be_born_released()
    {
        await using var server = await MdtServer.StartAsync();
        var agent = await server.ConnectAsync();
        Assert.Equal(0, await agent.RegisterCopytoolAsync());
        // As a copytool imports one (07 section 9).
        var made = await agent.OpenAsync(Root, "f", MdsOpen.Creat | MdsOpen.Write | MdsOpen.DelayCreate);
        var wish = new LovComponent { StripeCount = 2, StripeSize = 1 << 20, GenOrOffset = Lov.Any, Pattern = LovPattern.Raid0 | LovPattern.Released };
        var opened = await agent.OpenByFidAsync(made.Fid, MdsOpen.Write, LovCodec.Encode(LovLayout.Plain(wish)), Root);
        Assert.Equal(0, opened.Result);
        Assert.Equal(0, await agent.SetHsmStateAsync(made.Fid, ExistsArchived | HsmStates.Released, archive: 4));
        Assert.Equal(0, (await agent.SetAttrAsync(
            made.Fid, MdsAttr.Size | MdsAttr.MtimeSet, r => r with { ObjectSize = 5_000_000_000, Mtime = 1234 })).Status);
        await agent.CloseAsync(opened);
        await agent.CloseAsync(made);

        var found = await agent.GetAttrAsync(made.Fid);
        Assert.Equal((5_000_000_000ul, 1ul, 1234L), (found.Body.ObjectSize, found.Body.Blocks, found.Body.Mtime));
        var part = Assert.Single(Decode(found.Layout).Components);
        Assert.Equal((true, (ushort)2, 1u << 20), (part.IsReleased, part.StripeCount, part.StripeSize));
        Assert.Equal((ExistsArchived | HsmStates.Released, 4u), State(await agent.HsmStateAsync(made.Fid)));
        Assert.Empty(server.Osts.SelectMany(o => o.Sizes));
        Assert.Equal(0, (await agent.HsmRequestAsync(HsmUserAction.Restore, made.Fid)).Status);
        Assert.Equal(4u, (await agent.NextActionAsync()).ArchiveId);
    }

    [Fact]
    public async Task A_restore_that_fails_lets_readers_go_on_without_the_data()
    {
        await using var server = await MdtServer.StartAsync();
        var (agent, fid, before) = await ReleasedAsync(server);
        var reader = await server.ConnectAsync();
        Assert.Equal(0, (await reader.HsmRequestAsync(HsmUserAction.Restore, fid)).Status);
        await reader.LayoutAsync(fid, LayoutIntentOp.Access);
        var told = await agent.NextActionAsync();
        Assert.Equal(0, (await agent.HsmReportAsync(told.Item.Cookie, fid, completed: true, error: Errno.EIO)).Status);
        await reader.WaitForCallbackAsync(Opcode.LdlmCpCallback);
        var after = await reader.GetAttrAsync(fid);
        Assert.Equal(before, after.Layout);
        Assert.Equal(ExistsArchived | HsmStates.Released, (await reader.HsmStateAsync(fid)).States);
        Assert.Equal(HsmUserAction.None, (await reader.HsmActionAsync(fid)).Action);
    }

    [Fact]
    public async Task A_cancelled_action_ends_at_once_for_those_who_wait_and_its_copytool_hears_of_it()
    {
        await using var server = await MdtServer.StartAsync();
        var (agent, fid, _) = await ReleasedAsync(server);
        var reader = await server.ConnectAsync();
        Assert.Equal(0, (await reader.HsmRequestAsync(HsmUserAction.Restore, fid)).Status);
        await reader.LayoutAsync(fid, LayoutIntentOp.Access);
        var told = await agent.NextActionAsync();
        Assert.Equal(0, (await reader.HsmRequestAsync(HsmUserAction.Cancel, fid)).Status);
        await reader.WaitForCallbackAsync(Opcode.LdlmCpCallback);
        var cancel = await agent.NextActionAsync();
        Assert.Equal((HsmCopytoolAction.Cancel, told.Item.Cookie), (cancel.Item.Action, cancel.Item.Cookie));
        Assert.Equal(-Errno.ECANCELED, (await agent.HsmReportAsync(told.Item.Cookie, fid, completed: false, moved: 1)).Status);
        Assert.Equal(0, (await agent.HsmReportAsync(told.Item.Cookie, fid, completed: true, error: Errno.ECANCELED)).Status);
        Assert.Equal(-Errno.ENOENT, (await agent.HsmReportAsync(told.Item.Cookie, fid, completed: true)).Status);
        Assert.Equal(ExistsArchived | HsmStates.Released, (await reader.HsmStateAsync(fid)).States);
        // Nothing keeps it from being restored after all.
        Assert.Equal(0, (await reader.HsmRequestAsync(HsmUserAction.Restore, fid)).Status);
        Assert.NotEqual(told.Item.Cookie, (await agent.NextActionAsync()).Item.Cookie);
    }

    [Fact]
    public async Task What_a_lost_copytool_worked_on_goes_to_another()
    {
        await using var server = await MdtServer.StartAsync();
        var (first, second) = (await server.ConnectAsync(), await server.ConnectAsync());
        Assert.Equal(0, await first.RegisterCopytoolAsync());
        Assert.Equal(-Errno.EEXIST, await first.RegisterCopytoolAsync());
        var fid = await second.CreateFileAsync(Root, "f");
        Assert.Equal(0, (await second.HsmRequestAsync(HsmUserAction.Archive, fid)).Status);
        var told = await first.NextActionAsync();
        Assert.Equal(0, await second.RegisterCopytoolAsync());
        await first.DisconnectAsync();
        var again = await second.NextActionAsync();
        Assert.Equal(told.Item.Cookie, again.Item.Cookie);
        Assert.Equal(0, (await second.HsmReportAsync(again.Item.Cookie, fid, completed: true, version: 3)).Status);
        Assert.Equal(0, await second.UnregisterCopytoolAsync());
        Assert.Equal(-Errno.ENOENT, await second.UnregisterCopytoolAsync());
    }

    [Fact]
    public async Task What_was_canceled_takes_no_place_after_its_copytool_is_gone()
    {
        await using var server = await MdtServer.StartAsync(configure: o => o with { Hsm = new HsmOptions { MaxRunning = 1 } });
        var (hung, live) = (await server.ConnectAsync(), await server.ConnectAsync());
        Assert.Equal(0, await hung.RegisterCopytoolAsync());
        var (one, two) = (await live.CreateFileAsync(Root, "one"), await live.CreateFileAsync(Root, "two"));
        Assert.Equal(0, (await live.HsmRequestAsync(HsmUserAction.Archive, one)).Status);
        await hung.NextActionAsync();
        Assert.Equal(0, (await live.HsmRequestAsync(HsmUserAction.Cancel, one)).Status);
        await hung.DisconnectAsync();
        Assert.Equal(0, await live.RegisterCopytoolAsync());
        await live.ArchiveAsync(two, Version);
    }

    [Fact]
    public async Task A_client_whose_copytool_is_gone_gets_nothing_more()
    {
        await using var server = await MdtServer.StartAsync();
        var (dead, live) = (await server.ConnectAsync(), await server.ConnectAsync());
        dead.CopytoolAnswer = -Errno.EPIPE;
        Assert.Equal(0, await dead.RegisterCopytoolAsync());
        var fid = await live.CreateFileAsync(Root, "f");
        Assert.Equal(0, (await live.HsmRequestAsync(HsmUserAction.Archive, fid)).Status);
        Assert.Equal(0, await live.RegisterCopytoolAsync());
        Assert.Equal(fid, (await live.NextActionAsync()).Item.Fid);
        Assert.Equal(-Errno.ENOENT, await dead.UnregisterCopytoolAsync());
    }

    [Fact]
    public async Task Actions_of_an_archive_without_copytool_hold_nobody_up()
    {
        await using var server = await MdtServer.StartAsync();
        var agent = await server.ConnectAsync();
        var (one, two) = (await agent.CreateFileAsync(Root, "one"), await agent.CreateFileAsync(Root, "two"));
        Assert.Equal(0, (await agent.HsmRequestAsync(HsmUserAction.Archive, 7, [], [one])).Status);
        Assert.Equal(0, (await agent.HsmRequestAsync(HsmUserAction.Archive, 2, [], [two])).Status);
        Assert.Equal(0, await agent.RegisterCopytoolAsync(1, 2));
        var told = await agent.NextActionAsync();
        Assert.Equal((two, 2u), (told.Item.Fid, told.ArchiveId));
        Assert.Empty(agent.Told);
        Assert.Equal((HsmProgressState.Waiting, HsmUserAction.Archive), Current(await agent.HsmActionAsync(one)));
    }

    [Fact]
    public async Task Only_administrators_may_ask_for_more_than_a_restore()
    {
        await using var server = await MdtServer.StartAsync();
        var (agent, fid, _) = await ReleasedAsync(server);
        var user = await server.ConnectAsync();
        user.Identity = (1000, 1000, 0);
        foreach (var action in new[] { HsmUserAction.Archive, HsmUserAction.Remove, HsmUserAction.Cancel })
            Assert.Equal(-Errno.EPERM, (await user.HsmRequestAsync(action, fid)).Status);
        Assert.Equal(-Errno.EINVAL, (await user.HsmRequestAsync(HsmUserAction.Release, fid)).Status);
        Assert.Equal(-Errno.EPERM, await user.RegisterCopytoolAsync());
        Assert.Equal(-Errno.EPERM, (await user.HsmReportAsync(1, fid, completed: true)).Status);
        Assert.Equal(-Errno.EPERM, await user.SetHsmStateAsync(fid, HsmStates.Lost));
        // From where the file was archived: an archive that nobody serves would hold up its readers.
        Assert.Equal(0, (await user.HsmRequestAsync(HsmUserAction.Restore, 9, [], [fid])).Status);
        var told = await agent.NextActionAsync();
        Assert.Equal((HsmCopytoolAction.Restore, 1u), (told.Item.Action, told.ArchiveId));
    }

    [Theory]
    [InlineData(HsmStates.Dirty, false)]
    [InlineData(HsmStates.Exists | HsmStates.Dirty, true)]
    [InlineData(HsmStates.Exists | HsmStates.Released, false)]
    [InlineData(HsmStates.Exists | HsmStates.Archived | HsmStates.Released, true)]
    [InlineData(HsmStates.Exists | HsmStates.Archived | HsmStates.Released | HsmStates.Dirty, false)]
    [InlineData(HsmStates.Exists | HsmStates.Lost, false)]
    [InlineData((HsmStates)0x80, false)]
    public async Task States_that_cannot_be_are_refused(HsmStates states, bool possible)
    {
        await using var server = await MdtServer.StartAsync();
        var client = await server.ConnectAsync();
        var fid = await client.CreateFileAsync(Root, "f");
        Assert.Equal(possible ? 0 : -Errno.EINVAL, await client.SetHsmStateAsync(fid, states));
        Assert.Equal(possible ? states : HsmStates.None, (await client.HsmStateAsync(fid)).States);
    }

    [Fact]
    public async Task Malformed_requests_are_refused_and_leave_nothing()
    {
        await using var server = await MdtServer.StartAsync();
        var client = await server.ConnectAsync();
        var fid = await client.CreateFileAsync(Root, "f");
        var directory = await client.MkdirAsync(Root, "d");
        Assert.Equal(-Errno.EINVAL, (await client.HsmRequestAsync((HsmUserAction)99, fid)).Status);
        Assert.Equal(-Errno.EINVAL, (await client.HsmRequestAsync(HsmUserAction.Archive, directory)).Status);
        Assert.Equal(-Errno.ENOENT, (await client.HsmRequestAsync(HsmUserAction.Archive, await client.NewFidAsync())).Status);
        Assert.Equal(-Errno.EINVAL, (await client.HsmRequestAsync(HsmUserAction.Archive, default(LuFid))).Status);
        Assert.Equal(0, (await client.HsmRequestAsync(HsmUserAction.Archive)).Status);
        Assert.Equal(-Errno.E2BIG, (await client.HsmRequestAsync(HsmUserAction.Archive, 0, new byte[5000], [fid])).Status);
        var lies = new HsmRequest { Action = HsmUserAction.Archive, ItemCount = uint.MaxValue };
        var body = Bytes(client.Ask(default, ObdMd.None));
        Assert.Equal(-Errno.EPROTO, (await client.SendAsync(Opcode.MdsHsmRequest, Portal.MdsRequest, [
            body, Bytes(lies), Bytes(new HsmUserItem { Fid = fid }), []])).Status);
        Assert.Equal(HsmUserAction.None, (await client.HsmActionAsync(fid)).Action);
    }

    [Fact]
    public async Task A_removed_file_ends_its_actions()
    {
        await using var server = await MdtServer.StartAsync();
        var client = await server.ConnectAsync();
        var (gone, kept) = (await client.CreateFileAsync(Root, "gone"), await client.CreateFileAsync(Root, "kept"));
        Assert.Equal(0, (await client.HsmRequestAsync(HsmUserAction.Archive, gone, kept)).Status);
        Assert.Equal(0, (await client.UnlinkAsync(Root, "gone")).Status);
        Assert.Equal(0, await client.RegisterCopytoolAsync());
        Assert.Equal(kept, (await client.NextActionAsync()).Item.Fid);
        // What it left in the archive can still be taken away.
        Assert.Equal(0, (await client.HsmRequestAsync(HsmUserAction.Remove, gone)).Status);
        var told = await client.NextActionAsync();
        Assert.Equal((HsmCopytoolAction.Remove, gone), (told.Item.Action, told.Item.Fid));
        Assert.Equal(0, (await client.HsmReportAsync(told.Item.Cookie, gone, completed: true)).Status);
    }

    private static (HsmProgressState, HsmUserAction) Current(HsmCurrentAction action) => (action.State, action.Action);

    private static (HsmStates, uint) State(HsmUserState state) => (state.States, state.ArchiveId);
}
