using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;
using Nacre.Server.Mdt.FileSystem;

namespace Nacre.Server.Mdt;

/// <summary>
/// Files that got a size by truncate before they had objects: the MDT holds their size, and once there is a layout clients ask
/// the objects only. So the object that holds the last byte gets its length before the layout is stored: whoever sees the
/// layout, also after a kill, sees the size. A kill in between leaves an object behind that no file names, and that has no blocks.
/// </summary>
public sealed partial class MdtTarget
{
    /// <summary>A layout whose objects have the size the file had when it was made; without EA for a file of no size.</summary>
    private readonly record struct SizedLayout(byte[]? Ea, ulong Size);

    /// <summary>Makes the objects of a file that has a size and no layout. Called under its EX LAYOUT lock, which keeps others
    /// from making one; a truncate may still change the size: see <see cref="Fits"/>.</summary>
    private async ValueTask<SizedLayout> PrepareLayoutAsync(RpcRequest request, LuFid fid, LuFid parent, LovLayout? wish)
    {
        SizedLayout made;
        lock (_store.Gate)
        {
            if (!_fs.TryGetAttr(fid, out var found) || !IsSizedWithoutLayout(found))
                return default;
            made = new SizedLayout(NewLayout(fid, parent, wish, append: false, found.Attributes.Size), found.Attributes.Size);
        }
        try
        {
            await SetSizeAsync(request, made).ConfigureAwait(false);
            return made;
        }
        catch (FsException)
        {
            Discard(fid, made);
            throw;
        }
    }

    private static bool IsSizedWithoutLayout(in MdtObject file) =>
        file.Attributes.IsRegular && file.Layout.IsEmpty && file.Attributes.Size != 0;

    /// <summary>Whether the size is still the one the objects were made for. Under the gate.</summary>
    private static bool Fits(in SizedLayout made, in MdtObject file) => made.Size == (IsSizedWithoutLayout(file) ? file.Attributes.Size : 0);

    /// <summary>Objects nobody will use.</summary>
    private void Discard(LuFid fid, in SizedLayout made)
    {
        if (made.Ea == null)
            return;
        lock (_store.Gate)
            _fs.QueueDestroy(fid, made.Ea);
        _destroyer.Wake();
    }

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
