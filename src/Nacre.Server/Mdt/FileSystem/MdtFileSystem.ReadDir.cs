using Nacre.PtlRpc.Wire;
using Nacre.Server.Storage;

namespace Nacre.Server.Mdt.FileSystem;

/// <summary>Reading directories (05 section 4).</summary>
public sealed partial class MdtFileSystem
{
    private const long DotCookie = 0, DotDotCookie = 1;

    /// <summary>Entries from cookie <paramref name="from"/> on, ascending, until the sink refuses one. No permission check.
    /// An unlinked directory has no entries at all. ENOENT, ENOTDIR.</summary>
    public MdtReadDir ReadDir<TSink>(LuFid directory, ulong from, ref TSink sink) where TSink : IDirEntrySink, allows ref struct
    {
        var inode = NeedDirectory(directory);
        ulong pending = Store.Pending(inode);
        if (inode.NLink == 0 || from > long.MaxValue)
        {
            return new MdtReadDir(null, pending);
        }
        if (from <= DotCookie && !AddDot(ref sink, inode.Number, DotCookie, "."u8))
        {
            return new MdtReadDir(DotCookie, pending);
        }
        if (from <= DotDotCookie && !AddDot(ref sink, inode.Parent, DotDotCookie, ".."u8))
        {
            return new MdtReadDir(DotDotCookie, pending);
        }
        return new MdtReadDir(Store.ReadEntries(inode.Number, (long)from, ref sink), pending);
    }

    private static bool AddDot<TSink>(ref TSink sink, long number, ulong cookie, ReadOnlySpan<byte> name)
        where TSink : IDirEntrySink, allows ref struct =>
        sink.Add(new DirEntry { Cookie = cookie, Fid = InodeNumber.ToFid(number), Type = ModeBits.Directory, Name = name });
}
