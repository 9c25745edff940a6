using System.Runtime.InteropServices;
using Nacre.PtlRpc.Wire;
using Nacre.Server.Mdt.FileSystem;

namespace Nacre.Server.Tests.MdtService;

/// <summary>MDS_RMFID (05 section 3.8).</summary>
public class RemoveByFidTests
{
    [Fact]
    public async Task A_removal_that_ends_halfway_has_a_transno()
    {
        await using var server = await MdtServer.StartAsync();
        var client = await server.ConnectAsync();
        var parent = await client.MkdirAsync(ScriptedClient.Root, "d");
        var file = await client.CreateFileAsync(ScriptedClient.Root, "first");
        Assert.Equal(0, (await client.LinkAsync(file, parent, "second")).Status);
        // Nothing may leave a directory that only grows.
        lock (server.Store.Gate)
        {
            server.FileSystem.SetAttr(MdtCredentials.Root, new SetAttrArgs
            {
                Fid = parent,
                Valid = SetAttrValid.AttrFlags,
                Flags = InodeFlags.Append,
            });
        }

        var body = client.Ask(file, ObdMd.None);
        var answer = await client.SendAsync(
            Opcode.MdsRmfid, Portal.MdsRequest, [ScriptedClient.Bytes(body), ScriptedClient.Bytes(file)]);

        Assert.Equal(0, answer.Status);
        Assert.Equal(-Errno.EPERM, MemoryMarshal.Read<int>(answer.Buffer(3)));
        Assert.NotEqual(0ul, answer.Transno);
        Assert.False(Found(server, ScriptedClient.Root, "first"));
        Assert.True(Found(server, parent, "second"));
    }

    private static bool Found(MdtServer server, LuFid parent, string name)
    {
        lock (server.Store.Gate)
            return server.FileSystem.Lookup(MdtCredentials.Root, parent, System.Text.Encoding.UTF8.GetBytes(name)).Found;
    }
}
