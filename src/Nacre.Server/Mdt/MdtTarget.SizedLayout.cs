using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;
using Nacre.Server.Mdt.FileSystem;

namespace Nacre.Server.Mdt;

/// <summary>
/// Files that got a size by truncate before they had objects: the MDT holds their size, and once there is a layout clients ask
/// the objects only. So the object that holds the last byte gets its length before the layout is stored: whoever sees the
/// layout, also after a kill, sees the size. Before that its objects are queued for destruction, and storing the layout takes them
/// out again: whatever comes in between, none is left that no file names.
/// </summary>
public sealed partial class MdtTarget
{
    /// <summary>A layout whose objects have the size the file had when it was made. Disposed when it is stored, or will not be:
    /// then the objects are destroyed.</summary>
    private sealed class SizedLayout(MdtTarget mdt, byte[] ea, ulong size, long destroyId) : IDisposable
    {
        public byte[] Ea => ea;

        public ulong Size => size;

        /// <summary>Under the gate.</summary>
        public MdtResult Store(LuFid fid) => mdt._fs.SetObjects(fid, ea, destroyId);

        public void Dispose()
        {
            lock (mdt._store.Gate)
                mdt._fs.LetDestroy(destroyId);
            mdt._destroyer.Wake();
        }
    }

    /// <summary>Makes the objects of a file that has a size and no layout; null for others. Called under its EX LAYOUT lock, which
    /// keeps others from making one; a truncate may still change the size: see <see cref="Fits"/>.</summary>
    private async ValueTask<SizedLayout?> PrepareLayoutAsync(RpcRequest request, LuFid fid, LuFid parent, LovLayout? wish)
    {
        SizedLayout made;
        ulong foreseen;
        lock (_store.Gate)
        {
            if (!_fs.TryGetAttr(fid, out var found) || !IsSizedWithoutLayout(found))
                return null;
            ulong size = found.Attributes.Size;
            var ea = NewLayout(fid, parent, wish, append: false, size);
            (long destroyId, foreseen) = _fs.ForeseeDestroy(fid, ea);
            made = new SizedLayout(this, ea, size, destroyId);
        }
        try
        {
            await Settled(foreseen).ConfigureAwait(false);
            await SetSizeAsync(request, made).ConfigureAwait(false);
            return made;
        }
        catch
        {
            made.Dispose();
            throw;
        }
    }

    private static bool IsSizedWithoutLayout(in MdtObject file) =>
        file.Attributes.IsRegular && file.Layout.IsEmpty && file.Attributes.Size != 0;

    /// <summary>Whether the size is still the one the objects were made for. Under the gate.</summary>
    private static bool Fits(SizedLayout? made, in MdtObject file) =>
        (made?.Size ?? 0) == (IsSizedWithoutLayout(file) ? file.Attributes.Size : 0);

    /// <summary>Stores the prepared layout, or a new one for a file of no size. Under the gate.</summary>
    private MdtResult StoreLayout(LuFid fid, LuFid parent, LovLayout? wish, SizedLayout? made) =>
        made?.Store(fid) ?? _fs.SetLayout(fid, NewLayout(fid, parent, wish, append: false));

    /// <summary>RAID0 by absolute file offsets, also inside components (05 section 11): one object holds the last byte, and its
    /// length alone says how long the file is.</summary>
    private async ValueTask SetSizeAsync(RpcRequest request, SizedLayout made)
    {
        ulong last = made.Size - 1;
        var component = DecodeStored(made.Ea).Components.Find(c => c.Start <= last && last < c.End)
            ?? throw new FsException(Errno.EFBIG);
        ulong unit = component.StripeSize, row = unit * (ulong)component.Objects.Length;
        var item = component.Objects[(int)(last % row / unit)];
        if (_allocator.Get((int)item.OstIndex) is not { Active: true } target)
            throw new FsException(Errno.EIO);
        await target.SetSizeAsync(item.Object, (last / row * unit) + (last % unit) + 1, request.Aborted).ConfigureAwait(false);
    }
}
