using Microsoft.Extensions.Logging.Abstractions;
using Nacre.PtlRpc.Wire;
using Nacre.Server.Mdt.FileSystem;
using Nacre.Server.Storage;
using Nacre.Server.Storage.Sqlite;

namespace Nacre.Server.Tests.Mdt;

/// <summary>The queue of HSM actions on disk, and databases from before there was one.</summary>
public sealed class HsmStoreTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("nacre-hsm-").FullName;

    private string DatabasePath => Path.Combine(_folder, "mdt.db");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private MetadataStore Open() => MetadataStore.Open(
        DatabasePath, new MetadataStoreOptions { FileSystemName = "test01" }, TimeProvider.System, NullLogger.Instance);

    [Fact]
    public async Task What_is_queued_is_there_after_a_restart_until_it_ends()
    {
        var fids = new[] { new LuFid(0x200000401, 7), new LuFid(0x200000402, 9) };
        ulong first, second;
        using (var store = Open())
        using (var files = new MdtFileSystem(store, new MdtFileSystemOptions(), TimeProvider.System))
        {
            ulong transaction;
            lock (store.Gate)
            {
                first = files.QueueHsm(HsmUserAction.Restore, fids[0], 3, HsmRequestFlags.ForceAction, [1, 2, 3]).Action.Cookie;
                (var action, transaction) = files.QueueHsm(HsmUserAction.Archive, fids[1], 1, HsmRequestFlags.None, []);
                second = action.Cookie;
            }
            await store.WhenCommitted(transaction);
        }
        using (var store = Open())
        using (var files = new MdtFileSystem(store, new MdtFileSystemOptions(), TimeProvider.System))
        {
            lock (store.Gate)
            {
                var queued = files.QueuedHsmActions();
                Assert.Equal([first, second], queued.Select(a => a.Cookie));
                Assert.Equal(fids, queued.Select(a => a.Fid));
                Assert.Equal((HsmUserAction.Restore, 3u, HsmRequestFlags.ForceAction), (queued[0].Action, queued[0].ArchiveId, queued[0].Flags));
                Assert.Equal([1, 2, 3], queued[0].Data);
                files.EndHsm(first);
                // A cookie is never given twice.
                Assert.True(files.QueueHsm(HsmUserAction.Archive, fids[0], 1, HsmRequestFlags.None, []).Action.Cookie > second);
            }
        }
        using (var store = Open())
        using (var files = new MdtFileSystem(store, new MdtFileSystemOptions(), TimeProvider.System))
        {
            lock (store.Gate)
                Assert.Equal(2, files.QueuedHsmActions().Count);
        }
    }

    [Fact]
    public void A_database_of_format_1_gets_the_queue()
    {
        Open().Dispose();
        using (var old = new SqliteConnection(DatabasePath, create: false))
            old.Execute("DROP TABLE hsm_action; UPDATE meta SET value = 1 WHERE key = 'format'; PRAGMA user_version=1");
        using (var store = Open())
        {
            lock (store.Gate)
                Assert.Empty(store.HsmActions());
        }
        using var upgraded = new SqliteConnection(DatabasePath, create: false);
        Assert.Equal(MetadataSchema.Format, upgraded.ReadInteger("PRAGMA user_version"));
        Assert.Equal(MetadataSchema.Format, upgraded.ReadInteger("SELECT value FROM meta WHERE key = 'format'"));
    }
}
