using System.Text;
using Nacre.PtlRpc.Wire;
using Nacre.Server.Mdt.FileSystem;

namespace Nacre.Server.Tests.Mdt;

/// <summary>What fsck would look at: every entry leads to an inode, link counts and parents agree with the entries, the links
/// recorded with an inode are exactly its names, and no inode is without a name.</summary>
internal static class TreeCheck
{
    /// <returns>Paths of all objects, with their FIDs.</returns>
    public static Dictionary<string, LuFid> Check(MdtFixture mdt)
    {
        var paths = new Dictionary<string, LuFid>();
        var names = new Dictionary<LuFid, uint>();
        lock (mdt.Store.Gate)
        {
            Walk(mdt, MdtFileSystem.Root, "", paths, names);
            Assert.Equal(names.Count + 1, mdt.Store.InodeCount);
            foreach (var (fid, count) in names)
            {
                CheckLinks(mdt, fid, count, paths);
            }
        }
        return paths;
    }

    private static void Walk(
        MdtFixture mdt, LuFid directory, string above, Dictionary<string, LuFid> paths, Dictionary<LuFid, uint> names)
    {
        uint children = 0;
        foreach (var (name, _, fid, type) in mdt.List(directory).Skip(2))
        {
            var attributes = mdt.Fs.GetAttr(fid).Attributes;
            Assert.Equal(attributes.Type, type);
            paths.Add(above + name, fid);
            names[fid] = names.GetValueOrDefault(fid) + 1;
            if (attributes.IsDirectory)
            {
                children++;
                Assert.Equal(directory, mdt.Fs.Lookup(MdtCredentials.Root, fid, ".."u8).Object.Fid);
                Walk(mdt, fid, $"{above}{name}/", paths, names);
            }
        }
        Assert.Equal(2 + children, mdt.Fs.GetAttr(directory).Attributes.NLink);
    }

    private static void CheckLinks(MdtFixture mdt, LuFid fid, uint count, Dictionary<string, LuFid> paths)
    {
        var attributes = mdt.Fs.GetAttr(fid).Attributes;
        if (!attributes.IsDirectory)
        {
            Assert.Equal(count, attributes.NLink);
        }
        for (uint link = 0; link < count; link++)
        {
            string path = Encoding.UTF8.GetString(mdt.Fs.PathOf(fid, link, MdtFileSystem.Root, 4096).Path);
            Assert.Equal(fid, paths[path]);
        }
    }
}
