using System.Runtime.InteropServices;
using Nacre.PtlRpc.Wire;
using Nacre.Server.Mdt.FileSystem;

namespace Nacre.Server.Mdt;

/// <summary>
/// Writes one <c>lu_dirpage</c>: takes entries while they fit (05 sections 4.2 and 4.3). Positions of this store are unique
/// within a directory, so no page ever breaks inside a chain of equal hashes and LDF_COLLIDE is never needed.
/// </summary>
internal ref struct DirPageWriter : IDirEntrySink
{
    private readonly Span<byte> _page;
    private readonly LuDirentAttrs _attrs;
    private int _used;
    private int _last;

    /// <param name="page">4096 zeroed bytes.</param>
    /// <param name="start">The hash this page is asked for by.</param>
    /// <param name="attrs">What the client wants in the records.</param>
    public DirPageWriter(Span<byte> page, ulong start, LuDirentAttrs attrs)
    {
        _page = page;
        _attrs = attrs & LuDirentAttrs.Type;
        _used = LuDirpage.Size;
        _last = -1;
        MemoryMarshal.AsRef<LuDirpage>(page).HashStart = start;
    }

    public readonly bool IsEmpty => _last < 0;

    public bool Add(in DirEntry entry)
    {
        bool withType = (_attrs & LuDirentAttrs.Type) != 0;
        int length = withType ? LuDirent.LengthWithType(entry.Name.Length) : LuDirent.LengthWithoutType(entry.Name.Length);
        if (_used + length > LuDirpage.PageSize)
            return false;
        var record = _page.Slice(_used, length);
        ref var head = ref MemoryMarshal.AsRef<LuDirent>(record);
        head.Fid = entry.Fid;
        head.Hash = entry.Cookie;
        head.RecordLength = (ushort)length;
        head.NameLength = (ushort)entry.Name.Length;
        head.Attrs = LuDirentAttrs.Fid | _attrs;
        entry.Name.CopyTo(record[LuDirent.Size..]);
        if (withType)
            MemoryMarshal.Write(record[LuDirent.TypeOffset(entry.Name.Length)..], (ushort)entry.Type);
        _last = _used;
        _used += length;
        return true;
    }

    /// <summary>Closes the page; <paramref name="next"/> is the position of the first entry that is not in it.</summary>
    public readonly void Finish(ulong? next)
    {
        ref var head = ref MemoryMarshal.AsRef<LuDirpage>(_page);
        head.HashEnd = next ?? LuDirpage.End;
        if (IsEmpty)
            head.Flags = LuDirpage.FlagEmpty;
        else
            MemoryMarshal.AsRef<LuDirent>(_page[_last..]).RecordLength = 0;
    }
}
