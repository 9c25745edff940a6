using Nacre.Ldlm.Wire;
using Nacre.PtlRpc.Wire;
using static Nacre.Server.Tests.MdtService.ScriptedClient;

namespace Nacre.Server.Tests.MdtService;

/// <summary>Layouts over the wire: defaults, setstripe, progressive layouts, exchange (05 sections 6.8, 7.3, 11).</summary>
public class LayoutTests
{
    private static LovComponent Wish(ushort count, uint size = 0, ushort first = Lov.Any, ulong start = 0, ulong end = Lov.Eof) =>
        new() { StripeCount = count, StripeSize = size, GenOrOffset = first, Start = start, End = end };

    private static byte[] UserPlain(ushort count, uint size = 0, ushort first = Lov.Any) =>
        LovCodec.Encode(LovLayout.Plain(Wish(count, size, first)));

    private static byte[] UserComposite(params LovComponent[] parts)
    {
        var layout = new LovLayout { IsComposite = true };
        layout.Components.AddRange(parts);
        return LovCodec.Encode(layout);
    }

    private static LovLayout Decode(byte[] ea)
    {
        Assert.True(LovCodec.TryDecode(ea, userForm: false, out var layout));
        return layout;
    }

    /// <summary>lfs setstripe: a create without layout, then an open by FID that brings it.</summary>
    private static async Task<IntentAnswer> SetStripeAsync(ScriptedClient client, LuFid parent, string name, byte[] wish)
    {
        var made = await client.OpenAsync(parent, name, MdsOpen.Creat | MdsOpen.Write | MdsOpen.DelayCreate);
        Assert.Equal((0, (Disp)0x8000037), (made.Result, made.Disposition));
        Assert.Empty(made.Layout);
        Assert.Equal(ObdMd.FlSize | ObdMd.FlBlocks, made.Body.Valid & (ObdMd.FlSize | ObdMd.FlBlocks | ObdMd.FlEaSize));
        return await client.OpenByFidAsync(made.Fid, MdsOpen.Write, wish, parent);
    }

    [Fact]
    public async Task A_new_file_gets_the_default_of_fsx()
    {
        await using var server = await MdtServer.StartAsync(osts: 4);
        var client = await server.ConnectAsync();
        var opened = await client.OpenAsync(Root, "f", MdsOpen.Creat | MdsOpen.Write);
        var layout = Decode(opened.Layout);
        Assert.True(layout.IsComposite);
        Assert.Equal([100UL << 20, 10UL << 30, 100UL << 30, Lov.Eof], layout.Components.Select(c => c.End));
        Assert.Equal([1, 8, 16, 32], layout.Components.Select(c => (int)c.StripeCount));
        Assert.Equal([true, false, false, false], layout.Components.Select(c => c.IsInstantiated));
        Assert.Equal([1u, 2u, 3u, 4u], layout.Components.Select(c => c.Id));
        Assert.All(layout.Components, c => Assert.Equal((opened.Fid.Sequence, opened.Fid.ObjectId), (c.OiSeq, (uint)c.OiId)));
        Assert.All(layout.Components, c => Assert.Equal(1u << 20, c.StripeSize));
        Assert.Equal((uint)opened.Layout.Length, opened.Body.EaDataSize);
        var item = layout.Components[0].Objects.Single();
        Assert.Equal(0x240000400ul + (item.OstIndex << 16), item.Object.Sequence);
    }

    [Theory]
    [InlineData("intent")]
    [InlineData("open")]
    [InlineData("setstripe by xattr")]
    public async Task The_object_of_the_last_byte_gets_its_length_before_anybody_sees_the_layout(string how)
    {
        const ulong Size = (100UL << 20) + (3UL << 20) + 5;
        await using var server = await MdtServer.StartAsync(osts: 4);
        var client = await server.ConnectAsync();
        var made = await client.OpenAsync(Root, "f", MdsOpen.Creat | MdsOpen.Write | MdsOpen.DelayCreate);
        await client.CloseAsync(made);
        Assert.Equal(0, (await client.SetAttrAsync(made.Fid, MdsAttr.Size, r => r with { ObjectSize = Size })).Status);
        Assert.Empty(server.Osts.SelectMany(o => o.Sizes));
        switch (how)
        {
            case "intent":
                Assert.Equal(0, (await client.LayoutAsync(made.Fid, LayoutIntentOp.Write, 0, 4096)).Result);
                break;
            case "open":
                Assert.Equal(0, (await client.OpenAsync(Root, "f", MdsOpen.Write)).Result);
                break;
            default:
                Assert.Equal(0, (await client.SetXattrAsync(made.Fid, "lustre.lov", UserPlain(2, 1 << 20))).Status);
                break;
        }

        var layout = Decode((await client.GetAttrAsync(made.Fid)).Layout);
        var component = layout.Components.Single(c => c.Start < Size && Size <= c.End);
        Assert.True(component.IsInstantiated || !layout.IsComposite);
        ulong count = (ulong)component.Objects.Length, unit = component.StripeSize;
        var last = component.Objects[(int)((Size - 1) / unit % count)].Object;
        var (sized, length) = Assert.Single(server.Osts.SelectMany(o => o.Sizes));
        Assert.Equal((last, ((Size - 1) / (unit * count) * unit) + 5), (sized, length));
        Assert.Equal(Size, (await client.GetAttrAsync(made.Fid)).Body.ObjectSize);
    }

    [Fact]
    public async Task Objects_of_a_layout_that_was_not_stored_are_destroyed_and_those_of_a_stored_one_stay()
    {
        await using var server = await MdtServer.StartAsync(osts: 1);
        var client = await server.ConnectAsync();
        var made = await client.OpenAsync(Root, "f", MdsOpen.Creat | MdsOpen.Write | MdsOpen.DelayCreate);
        await client.CloseAsync(made);
        Assert.Equal(0, (await client.SetAttrAsync(made.Fid, MdsAttr.Size, r => r with { ObjectSize = 5 })).Status);
        server.Osts[0].SizedThenFails = new IOException("after the object was made");
        Assert.NotEqual(0, (await client.SetXattrAsync(made.Fid, "lustre.lov", UserPlain(1, 1 << 20))).Status);
        await OpenTests.WaitUntilAsync(() => server.Osts[0].Destroyed.Count == 1);
        Assert.Equal(server.Osts[0].Sizes.Keys, server.Osts[0].Destroyed);

        Assert.Equal(0, (await client.SetXattrAsync(made.Fid, "lustre.lov", UserPlain(1, 1 << 20))).Status);
        var item = Assert.Single(Decode((await client.GetAttrAsync(made.Fid)).Layout).Objects());
        // The queue is worked off in order: when another file's object is gone, this one's would be, too.
        var other = await client.OpenAsync(Root, "g", MdsOpen.Creat | MdsOpen.Write);
        await client.CloseAsync(other);
        Assert.Equal(0, (await client.UnlinkAsync(Root, "g")).Status);
        await OpenTests.WaitUntilAsync(() => server.Osts[0].Destroyed.Count == 2);
        Assert.DoesNotContain(item.Object, server.Osts[0].Destroyed);
    }

    [Fact]
    public async Task Files_created_for_appending_have_one_stripe()
    {
        await using var server = await MdtServer.StartAsync(osts: 4);
        var client = await server.ConnectAsync();
        var layout = Decode((await client.OpenAsync(Root, "log", MdsOpen.Creat | MdsOpen.Write | MdsOpen.Append)).Layout);
        Assert.False(layout.IsComposite);
        Assert.Single(layout.Objects());
    }

    [Fact]
    public async Task Setstripe_makes_what_it_says()
    {
        await using var server = await MdtServer.StartAsync(osts: 4);
        var client = await server.ConnectAsync();
        var striped = await SetStripeAsync(client, Root, "f", UserPlain(3, 1 << 18, 2));
        Assert.Equal((301, (Disp)0x800002b, 0), (striped.Rpc.Status, striped.Disposition, striped.Result));
        Assert.NotEqual(0ul, striped.Rpc.Transno);
        var layout = Decode(striped.Layout);
        Assert.Equal((1u << 18, (ushort)3, (ushort)0), (layout.Components[0].StripeSize, layout.Components[0].StripeCount, layout.Components[0].GenOrOffset));
        Assert.Equal([2u, 3u, 0u], layout.Objects().Select(o => o.OstIndex));
        Assert.Equal(32 + 3 * 24, striped.Layout.Length);
        var again = await client.OpenByFidAsync(striped.Fid, MdsOpen.Write, UserPlain(1), Root);
        Assert.Equal((301, -Errno.EEXIST), (again.Rpc.Status, again.Result));
    }

    [Fact]
    public async Task A_progressive_layout_looks_like_that_of_a_genuine_server()
    {
        await using var server = await MdtServer.StartAsync(osts: 2);
        var client = await server.ConnectAsync();
        // Capture "xattr-layout": lfs setstripe -E 64K -c 1 -E -1 -c 2.
        var made = await SetStripeAsync(client, Root, "pfl", UserComposite(Wish(1, end: 65536), Wish(2, start: 65536)));
        Assert.Equal(240, made.Layout.Length);
        var layout = Decode(made.Layout);
        Assert.Equal(2u, layout.Generation);
        Assert.Equal([65536u, 1u << 20], layout.Components.Select(c => c.StripeSize));
        Assert.Equal((LovCompFlags.None, (ushort)2, Lov.Any),
            (layout.Components[1].Flags, layout.Components[1].StripeCount, layout.Components[1].GenOrOffset));
        Assert.Equal(uint.MaxValue, Assert.Single(layout.Components[1].Objects).OstIndex);

        var access = await client.LayoutAsync(made.Fid, LayoutIntentOp.Access);
        Assert.Equal((0, 1ul, LockMode.CR, 8ul), (access.Rpc.Status, access.Reply.LockPolicyRes1, access.Mode, (ulong)access.Bits));
        Assert.Equal(made.Layout, access.Rpc.Buffer(2));
        Assert.Equal(0ul, access.Rpc.Transno);

        var grown = await client.LayoutAsync(made.Fid, LayoutIntentOp.Write, 65536, 98304);
        Assert.Equal((0, 1ul, LockMode.CR, 0xaul, 0x1001u),
            (grown.Rpc.Status, grown.Reply.LockPolicyRes1, grown.Mode, (ulong)grown.Bits, (uint)grown.Reply.LockFlags));
        Assert.Equal([112, 264], grown.Rpc.Lengths);
        Assert.NotEqual(0ul, grown.Rpc.Transno);
        var after = Decode(grown.Rpc.Buffer(2));
        Assert.Equal(3u, after.Generation);
        Assert.Equal([1u, 2u], after.Components.Select(c => c.Id));
        Assert.Equal(layout.Components[0].Objects, after.Components[0].Objects);
        Assert.Equal([0u, 1u], after.Components[1].Objects.Select(o => o.OstIndex).Order());
        Assert.Equal(0, after.Components[1].GenOrOffset);
        Assert.Contains(client.Callbacks, c => c.Request.LockDesc is { ReqMode: LockMode.EX } d && (d.Policy.Bits & InodeBits.Layout) != 0);

        var same = await client.LayoutAsync(made.Fid, LayoutIntentOp.Write, 65536, 98304);
        Assert.Equal((0, 0ul), (same.Rpc.Status, same.Rpc.Transno));
        Assert.Equal(grown.Rpc.Buffer(2), same.Rpc.Buffer(2));
    }

    [Fact]
    public async Task An_instantiation_takes_the_layout_from_every_client_first()
    {
        await using var server = await MdtServer.StartAsync();
        var holder = await server.ConnectAsync();
        var writer = await server.ConnectAsync();
        var made = await SetStripeAsync(writer, Root, "pfl", UserComposite(Wish(1, end: 65536), Wish(2, start: 65536)));
        holder.CancelsWhenAsked = false;
        var held = await holder.LayoutAsync(made.Fid, LayoutIntentOp.Access);
        var growing = writer.LayoutAsync(made.Fid, LayoutIntentOp.Write, 65536, 98304);
        await holder.WaitForCallbackAsync();
        Assert.False(growing.IsCompleted);
        await holder.CancelAsync(held.LockHandle);
        Assert.Equal(0, (await growing).Rpc.Status);
        Assert.Equal(3u, Decode((await holder.LayoutAsync(made.Fid, LayoutIntentOp.Access)).Rpc.Buffer(2)).Generation);
    }

    /// <summary>Capture "hsm": a reader meets the EX LAYOUT lock of a restore (07 section 6.3).</summary>
    [Fact]
    public async Task An_access_that_has_to_wait_is_answered_at_once_and_granted_later()
    {
        await using var server = await MdtServer.StartAsync();
        var reader = await server.ConnectAsync();
        var made = await SetStripeAsync(reader, Root, "f", UserPlain(1));
        using (await server.Target.Locks.LockAsync(LdlmResId.OfFid(made.Fid), LockMode.EX, InodeBits.Layout, CancellationToken.None))
        {
            var waits = await reader.LayoutAsync(made.Fid, LayoutIntentOp.Access);
            Assert.Equal((0, 1ul, LockMode.None), (waits.Rpc.Status, waits.Reply.LockPolicyRes1, waits.Mode));
            Assert.Equal(LdlmFlags.HasIntent | LdlmFlags.BlockGranted | LdlmFlags.NoTimeout, waits.Reply.LockFlags);
            Assert.NotEqual(0ul, waits.LockHandle);
            Assert.Equal([112, 0], waits.Rpc.Lengths);
            Assert.DoesNotContain(reader.Callbacks, callback => callback.Opcode == Opcode.LdlmCpCallback);
        }
        var completion = await reader.WaitForCallbackAsync(Opcode.LdlmCpCallback);
        Assert.Equal((LockMode.CR, InodeBits.Layout),
            (completion.Request.LockDesc.GrantedMode, completion.Request.LockDesc.Policy.Bits));
        Assert.Equal(0, (await reader.CancelAsync(completion.Request.Handle1)).Status);

        var granted = await reader.LayoutAsync(made.Fid, LayoutIntentOp.Access);
        Assert.Equal((LockMode.CR, LdlmFlags.HasIntent), (granted.Mode, granted.Reply.LockFlags));
        Assert.Equal(made.Layout, granted.Rpc.Buffer(2));
    }

    [Fact]
    public async Task A_file_without_layout_gets_it_at_the_first_open_for_writing()
    {
        await using var server = await MdtServer.StartAsync();
        var client = await server.ConnectAsync();
        var made = await client.OpenAsync(Root, "f", MdsOpen.Creat | MdsOpen.Read);
        Assert.Empty(made.Layout);
        Assert.Empty((await client.LayoutAsync(made.Fid, LayoutIntentOp.Access)).Rpc.Buffer(2));
        Assert.Empty((await client.OpenAsync(Root, "f", MdsOpen.Read)).Layout);
        var written = await client.OpenAsync(Root, "f", MdsOpen.Write);
        Assert.Equal((301, (Disp)0x800002b), (written.Rpc.Status, written.Disposition));
        Assert.NotEmpty(written.Layout);
        Assert.Equal(written.Layout, (await client.OpenAsync(Root, "f", MdsOpen.Write)).Layout);
    }

    [Fact]
    public async Task Directory_defaults_are_kept_shown_used_inherited_and_removed()
    {
        await using var server = await MdtServer.StartAsync(osts: 4);
        var client = await server.ConnectAsync();
        var directory = await client.MkdirAsync(Root, "d");
        var wish = UserPlain(2, 1 << 17);
        var set = await client.SetAttrAsync(directory, MdsAttr.None, ea: [.. wish, .. new byte[200]]);
        Assert.Equal(0, set.Status);
        var shown = await client.PlainGetAttrAsync(directory, ObdMd.FlEaSize | ObdMd.FlDirEa, room: 4096);
        Assert.Equal((ObdMd)0x10000000100127bf | ObdMd.FlFlags | ObdMd.FlProjid, shown.Get<MdtBody>(1).Valid);
        Assert.Equal(wish, shown.Buffer(2));

        var child = await client.MkdirAsync(directory, "child");
        foreach (var parent in new[] { directory, child })
        {
            var layout = Decode((await client.OpenAsync(parent, "f", MdsOpen.Creat | MdsOpen.Write)).Layout);
            Assert.Equal((1u << 17, 2), (layout.Components[0].StripeSize, layout.Objects().Count()));
        }
        // What the request leaves open is taken from the directory.
        var partly = Decode((await SetStripeAsync(client, directory, "g", UserPlain(1))).Layout);
        Assert.Equal((1u << 17, 1), (partly.Components[0].StripeSize, partly.Objects().Count()));

        Assert.Equal(0, (await client.SetAttrAsync(directory, MdsAttr.None, ea: UserPlain(0))).Status);
        var none = await client.PlainGetAttrAsync(directory, ObdMd.FlEaSize | ObdMd.FlDirEa, room: 4096);
        Assert.Equal(ObdMd.None, none.Get<MdtBody>(1).Valid & ObdMd.FlDirEa);
        Assert.True(Decode((await client.OpenAsync(directory, "h", MdsOpen.Creat | MdsOpen.Write)).Layout).IsComposite);
        Assert.Equal(-Errno.ENOTDIR, (await client.SetAttrAsync((await client.LookupAsync(directory, "h")).Fid, MdsAttr.None, ea: wish)).Status);
    }

    [Fact]
    public async Task The_root_shows_the_default_of_the_file_system()
    {
        await using var server = await MdtServer.StartAsync();
        var client = await server.ConnectAsync();
        var shown = await client.PlainGetAttrAsync(Root, ObdMd.FlEaSize | ObdMd.FlDirEa, room: 4096);
        Assert.True(LovCodec.TryDecode(shown.Buffer(2), userForm: true, out var layout));
        Assert.Equal(4, layout.Components.Count);
    }

    public static TheoryData<string, byte[], int> BadWishes
    {
        get
        {
            var mirrored = UserComposite(Wish(1), Wish(1));
            mirrored[16] = 1;
            var pool = LovCodec.Encode(LovLayout.Plain(new LovComponent { Magic = LovMagic.V3, Pool = "flash", StripeCount = 1, GenOrOffset = Lov.Any }));
            var overstriped = UserPlain(8);
            overstriped[5] = 2;
            var dom = UserComposite(new LovComponent { Pattern = LovPattern.Mdt, StripeSize = 65536, End = 65536, GenOrOffset = Lov.Any }, Wish(1, start: 65536));
            var foreign = new byte[64];
            Bytes(new LovForeignMd { Magic = LovMagic.Foreign, Length = 8 }).CopyTo(foreign, 0);
            var garbage = new byte[64];
            garbage.AsSpan().Fill(0xab);
            return new TheoryData<string, byte[], int>
            {
                { "stripe size of 1000", UserPlain(1, 1000), Errno.EINVAL },
                { "an OST that is not there", UserPlain(1, 0, 9), Errno.EINVAL },
                { "too many stripes", UserPlain(2001), Errno.EINVAL },
                { "gap between components", UserComposite(Wish(1, end: 65536), Wish(1, start: 131072)), Errno.EINVAL },
                { "border off the grid", UserComposite(Wish(1, end: 1000), Wish(1, start: 1000)), Errno.EINVAL },
                { "first component not at 0", UserComposite(Wish(1, start: 65536)), Errno.EINVAL },
                { "stripe larger than its component", UserComposite(Wish(1, 1 << 20, end: 65536), Wish(1, start: 65536)), Errno.EINVAL },
                { "pool nobody knows", pool, Errno.EINVAL },
                { "garbage", garbage, Errno.EINVAL },
                { "mirrors", mirrored, Errno.EOPNOTSUPP },
                { "several stripes on an OST", overstriped, Errno.EOPNOTSUPP },
                { "data on MDT", dom, Errno.EOPNOTSUPP },
                { "foreign", foreign, Errno.EOPNOTSUPP },
            };
        }
    }

    [Theory]
    [MemberData(nameof(BadWishes))]
    public async Task Layouts_that_cannot_be_are_refused(string what, byte[] wish, int errno)
    {
        await using var server = await MdtServer.StartAsync();
        var client = await server.ConnectAsync();
        var refused = await SetStripeAsync(client, Root, "f", wish);
        Assert.True(-errno == refused.Result, $"{what}: {refused.Result}");
        Assert.Equal((301, 0ul, 0ul), (refused.Rpc.Status, refused.Handle, refused.Rpc.Transno));
        Assert.Equal(-errno, (await client.SetAttrAsync(await client.MkdirAsync(Root, "d"), MdsAttr.None, ea: wish)).Status);
    }

    [Fact]
    public async Task New_files_go_where_there_is_room()
    {
        await using var server = await MdtServer.StartAsync(osts: 4, configure: o => o with { DefaultLayout = Nacre.Server.Mdt.Layouts.LayoutDefaults.OneStripe });
        server.Osts[1].Available = 0;
        server.Osts[2].Active = false;
        server.Osts[3].Available = 1L << 38; // A quarter of what OST 0 has.
        var client = await server.ConnectAsync();
        var used = new int[4];
        for (int i = 0; i < 50; i++)
        {
            var opened = await client.OpenAsync(Root, $"f{i}", MdsOpen.Creat | MdsOpen.Write);
            used[Decode(opened.Layout).Objects().Single().OstIndex]++;
        }
        Assert.Equal((40, 0, 0, 10), (used[0], used[1], used[2], used[3]));
    }

    [Fact]
    public async Task Without_room_anywhere_nothing_is_made()
    {
        await using var server = await MdtServer.StartAsync(osts: 1);
        server.Osts[0].Available = 0;
        var client = await server.ConnectAsync();
        var refused = await client.OpenAsync(Root, "f", MdsOpen.Creat | MdsOpen.Write);
        Assert.Equal((301, (Disp)0x17, -Errno.ENOSPC), (refused.Rpc.Status, refused.Disposition, refused.Result));
        Assert.Equal((Disp)7, (await client.LookupAsync(Root, "f")).Disposition);
    }

    [Fact]
    public async Task Two_files_exchange_their_data()
    {
        await using var server = await MdtServer.StartAsync();
        var client = await server.ConnectAsync();
        var a = await SetStripeAsync(client, Root, "a", UserPlain(1));
        var b = await SetStripeAsync(client, Root, "b", UserPlain(2));
        var body = client.Ask(a.Fid, ObdMd.None);
        body.Fid2 = b.Fid;
        var swapped = await client.SendAsync(Opcode.MdsSwapLayouts, Portal.MdsRequest, [Bytes(body), Bytes(0ul), [], [], NoCancels]);
        Assert.Equal(0, swapped.Status);
        Assert.NotEqual(0ul, swapped.Transno);
        Assert.Empty(swapped.Lengths);
        var (after, other) = (Decode((await client.GetAttrAsync(Root, "a")).Layout), Decode((await client.GetAttrAsync(Root, "b")).Layout));
        Assert.Equal(Decode(b.Layout).Objects(), after.Objects());
        Assert.Equal(Decode(a.Layout).Objects(), other.Objects());
        Assert.Equal((a.Fid.ObjectId, 1u), ((uint)after.Components[0].OiId, after.EffectiveGeneration));
    }

    [Fact]
    public async Task Removed_files_lose_the_objects_of_all_their_components()
    {
        await using var server = await MdtServer.StartAsync();
        var client = await server.ConnectAsync();
        var made = await SetStripeAsync(client, Root, "pfl", UserComposite(Wish(1, end: 65536), Wish(2, start: 65536)));
        var grown = Decode((await client.LayoutAsync(made.Fid, LayoutIntentOp.Write, 65536, 98304)).Rpc.Buffer(2));
        await client.DisconnectAsync();
        var other = await server.ConnectAsync();
        Assert.Equal(0, (await other.UnlinkAsync(Root, "pfl")).Status);
        await OpenTests.WaitUntilAsync(() => server.Osts.Sum(o => o.Destroyed.Count) == 3);
        Assert.Equal(grown.Objects().Select(o => o.Object).Order(), server.Osts.SelectMany(o => o.Destroyed).Order());
    }
}
