using Nacre.PtlRpc.Wire;
using Nacre.Server.Mdt.FileSystem;
using Nacre.Server.Storage.Sqlite;
using static Nacre.Server.Tests.MdtService.ScriptedClient;

namespace Nacre.Server.Tests.MdtService;

/// <summary>
/// A change stands in the open transaction, whose commit will fail. Whoever is answered meanwhile must not be told of it: after
/// the rollback it never happened, as after a kill.
/// </summary>
public class SettledRefusalTests
{
    private const string Child = "child";

    public static TheoryData<string> Questions =>
    [
        "getattr", "getattr name", "getattr intent", "lookup intent", "getxattr", "getxattr intent", "layout intent", "open", "open by FID",
        "HSM state", "HSM action", "unlink", "link", "setxattr without effect", "create",
    ];

    [Theory]
    [MemberData(nameof(Questions))]
    public async Task No_answer_rests_on_a_change_that_is_undone(string question)
    {
        await using var server = await MdtServer.StartAsync(commitInterval: TimeSpan.FromHours(1));
        var client = await server.ConnectAsync();
        var directory = await client.MkdirAsync(Root, "d");
        var file = await client.CreateFileAsync(directory, Child);
        await client.NewFidAsync();
        await server.Store.SyncAsync();
        int failures = 0;
        server.Store.FaultPoint = point =>
        {
            if (point == "commit" && Interlocked.Increment(ref failures) == 1)
                throw new SqliteException(SqliteNative.IoError, "a test");
        };
        lock (server.Store.Gate)
        {
            if (question == "create")
            {
                server.FileSystem.Create(MdtCredentials.Root, new CreateArgs
                {
                    Parent = directory,
                    Name = "other"u8,
                    Fid = new LuFid(file.Sequence, 5000),
                    Mode = ModeBits.Directory | 0x1ed,
                    Time = Now,
                });
            }
            else
            {
                server.FileSystem.Unlink(MdtCredentials.Root, new UnlinkArgs { Parent = directory, Name = "child"u8, Time = Now });
            }
        }

        int errno = await AskAsync(client, question, directory, file);

        Assert.Equal(1, failures);
        Assert.Equal(Errno.EIO, errno);
        // It is there, as it was before.
        Assert.Equal(0, (await client.GetAttrAsync(directory, Child)).Result);
    }

    private static async Task<int> AskAsync(ScriptedClient client, string question, LuFid directory, LuFid file)
    {
        switch (question)
        {
            case "getattr": return -(await client.PlainGetAttrAsync(file, ObdMd.FlType)).Status;
            case "getattr name":
                return -(await client.SendAsync(Opcode.MdsGetattrName, Portal.MdsReadPage, [Bytes(client.Ask(directory, ObdMd.FlType)), [], Text(Child)])).Status;
            case "getattr intent": return ErrnoOf(await client.GetAttrAsync(file));
            case "lookup intent": return ErrnoOf(await client.LookupAsync(directory, Child));
            case "getxattr": return -(await client.GetXattrAsync(file, "user.x", 0)).Status;
            case "getxattr intent": return ErrnoOf(await client.GetAllXattrsAsync(file));
            case "layout intent": return ErrnoOf(await client.LayoutAsync(file, LayoutIntentOp.Access));
            case "open": return ErrnoOf(await client.OpenAsync(directory, Child, MdsOpen.Read));
            case "open by FID": return ErrnoOf(await client.OpenByFidAsync(file, MdsOpen.Read));
            case "HSM state": return -(await client.SendAsync(Opcode.MdsHsmStateGet, Portal.MdsRequest, [Bytes(client.Ask(file, 0)), []])).Status;
            case "HSM action": return -(await client.SendAsync(Opcode.MdsHsmAction, Portal.MdsRequest, [Bytes(client.Ask(file, 0)), []])).Status;
            case "unlink": return -(await client.UnlinkAsync(directory, Child)).Status;
            case "link": return -(await client.LinkAsync(file, Root, "second")).Status;
            case "setxattr without effect": return -(await client.SetXattrAsync(file, "trusted.lov", new byte[64])).Status;
            case "create":
                return -(await client.MakeAsync(directory, "other", 0x41ed)).Answer.Status;
            default: throw new ArgumentOutOfRangeException(nameof(question));
        }
    }

    private static int ErrnoOf(IntentAnswer answer) =>
        answer.Rpc.Status < 0 ? -answer.Rpc.Status : -answer.Result;
}
