using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Nacre.Client.Vfs;
using Nacre.Fuse.Device;
using Nacre.Fuse.Protocol;

namespace Nacre.Fuse.Session;

/// <summary>
/// Gathers the entries of a READDIR or READDIRPLUS in the kernel's form. An entry without attributes in a READDIRPLUS has
/// node id 0,
/// which the kernel lists without looking it up.
/// </summary>
internal sealed class DirectoryReply(FuseSession session) : IDirectorySink
{
    private FuseRequest _request = null!;
    private NativeBuffer _buffer = null!;
    private int _room;
    private bool _withEntries;

    /// <summary>Bytes gathered.</summary>
    public int Length { get; private set; }

    public ReadOnlySpan<byte> Bytes => _buffer.GetSpan()[..Length];

    public void Begin(FuseRequest request, NativeBuffer buffer, int room, bool withEntries)
    {
        _request = request;
        _buffer = buffer;
        _room = room;
        _withEntries = withEntries;
        Length = 0;
    }

    /// <returns>The buffer, which is the caller's again.</returns>
    public NativeBuffer End()
    {
        var buffer = _buffer;
        _buffer = null!;
        _request = null!;
        return buffer;
    }

    public bool TryAdd(ReadOnlySpan<byte> name, ulong inode, uint fileType, ulong next)
    {
        if (Space(name) > _room - Length) return false;
        if (_withEntries) Append(new EntryReply { Attributes = new WireAttributes { Inode = inode, Mode = fileType } });
        AppendName(name, inode, fileType, next);
        return true;
    }

    public bool TryAddEntry(ReadOnlySpan<byte> name, in Entry entry, ulong next)
    {
        if (Space(name) > _room - Length) return false;
        var attributes = entry.Attributes;
        bool counts = _withEntries && !IsDot(name);
        if (!counts)
        {
            // The kernel does not count a lookup of these, so it will not forget it either.
            if (entry.Node is not null) session.GiveBack(entry.Node);
            return TryAdd(name, attributes.Inode, attributes.Mode, next);
        }

        Append(session.TakeListed(_request, name, in entry));
        AppendName(name, attributes.Inode, attributes.Mode, next);
        return true;
    }

    private static bool IsDot(ReadOnlySpan<byte> name) => name.SequenceEqual("."u8) || name.SequenceEqual(".."u8);

    private static int Align(int length) => (length + 7) & ~7;

    private int Space(ReadOnlySpan<byte> name) => (_withEntries ? EntryReply.Size : 0) + Align(DirectoryEntry.Size + name.Length);

    private void AppendName(ReadOnlySpan<byte> name, ulong inode, uint fileType, ulong next)
    {
        Append(new DirectoryEntry { Inode = inode, Offset = next, NameLength = (uint)name.Length, Type = (fileType & 0xF000) >> 12 });
        var room = _buffer.GetSpan().Slice(Length, Align(name.Length));
        room.Clear();
        name.CopyTo(room);
        Length += room.Length;
    }

    private void Append<T>(in T value)
        where T : unmanaged
    {
        MemoryMarshal.Write(_buffer.GetSpan()[Length..], in value);
        Length += Unsafe.SizeOf<T>();
    }
}
