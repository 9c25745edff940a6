using System.Runtime.InteropServices;
using System.Text;

namespace Nacre.PtlRpc.Wire;

/// <summary>Layout EAs between bytes and <see cref="LovLayout"/>. Decoding checks form only (lengths, counts, magics);
/// whether a layout makes sense for this file system is the server's question (05 sections 11.1 to 11.4).</summary>
public static class LovCodec
{
    /// <summary>
    /// Decodes an EA. Bytes behind the layout's own length are ignored: clients send a buffer of their default EA size
    /// with zeros behind the layout (05 section 6.6). Returns false for anything malformed or of an unknown magic.
    /// </summary>
    /// <param name="ea">The buffer.</param>
    /// <param name="userForm">True for <c>lov_user_md</c> (requests and directory defaults): a plain layout has no
    /// object entries even with a stripe count. False for layouts of files: the entries fill the buffer.</param>
    /// <param name="layout">The layout.</param>
    public static bool TryDecode(ReadOnlySpan<byte> ea, bool userForm, out LovLayout layout)
    {
        layout = new LovLayout();
        if (ea.Length < sizeof(uint))
            return false;
        switch (MagicOf(ea))
        {
            case LovMagic.V1 or LovMagic.V3 or LovMagic.Specific:
                return TryDecodePlain(ea, userForm, layout);
            case LovMagic.CompV1:
                return TryDecodeComposite(ea, userForm, layout);
            case LovMagic.Foreign:
                return TryDecodeForeign(ea, layout);
            default:
                return false;
        }
    }

    /// <summary>The first word, or <see cref="LovMagic.None"/> of a shorter buffer.</summary>
    public static LovMagic MagicOf(ReadOnlySpan<byte> ea) =>
        ea.Length < sizeof(uint) ? LovMagic.None : MemoryMarshal.Read<LovMagic>(ea);

    /// <summary>Bytes <see cref="Encode(LovLayout, Span{byte})"/> writes.</summary>
    public static int EncodedSize(LovLayout layout)
    {
        if (layout.Foreign != null)
            return layout.Foreign.Length;
        if (!layout.IsComposite)
            return layout.Components[0].EncodedSize;
        int size = LovCompMd.Size + layout.Components.Count * LovCompEntry.Size;
        foreach (var component in layout.Components)
            size += RoundUp8(component.EncodedSize);
        return size;
    }

    public static byte[] Encode(LovLayout layout)
    {
        var bytes = new byte[EncodedSize(layout)];
        Encode(layout, bytes);
        return bytes;
    }

    /// <summary>Writes the EA; <paramref name="to"/> has exactly <see cref="EncodedSize"/> bytes and is zeroed first.</summary>
    public static void Encode(LovLayout layout, Span<byte> to)
    {
        if (layout.Foreign != null)
        {
            layout.Foreign.CopyTo(to);
            return;
        }
        to.Clear();
        if (layout.IsComposite)
            EncodeComposite(layout, to);
        else
            EncodeBlob(layout.Components[0], to);
    }

    private static bool TryDecodePlain(ReadOnlySpan<byte> ea, bool userForm, LovLayout layout)
    {
        var component = new LovComponent();
        if (!TryDecodeBlob(ea, ObjectsIn(ea, userForm), component))
            return false;
        layout.Components.Add(component);
        return true;
    }

    /// <summary>Entries of a plain layout: those of its count in a file's EA; the list of a SPECIFIC; else none.</summary>
    private static int ObjectsIn(ReadOnlySpan<byte> ea, bool userForm)
    {
        if (ea.Length < LovMdsMd.Size)
            return 0;
        ref readonly var head = ref MemoryMarshal.AsRef<LovMdsMd>(ea);
        if (userForm && head.Magic != LovMagic.Specific)
            return 0;
        // A default layout stored for a directory has a wish for "all" here, which is no count.
        int room = Math.Max(0, ea.Length - HeadSize(head.Magic)) / LovOstData.Size;
        return (head.Pattern & LovPattern.Released) != 0 ? Math.Min(room, head.StripeCount) : head.StripeCount;
    }

    private static bool TryDecodeComposite(ReadOnlySpan<byte> ea, bool userForm, LovLayout layout)
    {
        if (ea.Length < LovCompMd.Size)
            return false;
        var head = MemoryMarshal.Read<LovCompMd>(ea);
        int entries = head.EntryCount;
        if (head.TotalSize > (uint)ea.Length || entries == 0 || entries > Lov.MaxComponents)
            return false;
        ea = ea[..(int)head.TotalSize];
        int blobs = LovCompMd.Size + entries * LovCompEntry.Size;
        if (ea.Length < blobs)
            return false;
        layout.IsComposite = true;
        layout.Generation = head.LayoutGen;
        layout.Flags = head.Flags;
        layout.MirrorCount = head.MirrorCount;
        for (int i = 0; i < entries; i++)
        {
            var entry = MemoryMarshal.Read<LovCompEntry>(ea[(LovCompMd.Size + i * LovCompEntry.Size)..]);
            if (!TryDecodeComponent(ea, entry, blobs, userForm, out var component))
                return false;
            layout.Components.Add(component);
        }
        return true;
    }

    private static bool TryDecodeComponent(
        ReadOnlySpan<byte> ea, in LovCompEntry entry, int firstBlob, bool userForm, out LovComponent component)
    {
        component = new LovComponent
        {
            Id = entry.Id,
            Flags = entry.Flags,
            Start = entry.Start,
            End = entry.End,
            EntryLayoutGen = entry.LayoutGen,
            Timestamp = entry.Timestamp,
        };
        if (entry.Offset < firstBlob || entry.Offset > ea.Length || entry.BlobSize > ea.Length - entry.Offset)
            return false;
        var blob = ea.Slice((int)entry.Offset, (int)entry.BlobSize);
        if (MagicOf(blob) == LovMagic.Foreign)
        {
            component.Magic = LovMagic.Foreign;
            component.ForeignBlob = blob.ToArray();
            return blob.Length >= LovForeignMd.Size;
        }
        int room = Math.Max(0, blob.Length - HeadSize(MagicOf(blob))) / LovOstData.Size;
        return TryDecodeBlob(blob, userForm && MagicOf(blob) != LovMagic.Specific ? 0 : room, component);
    }

    private static bool TryDecodeBlob(ReadOnlySpan<byte> blob, int objects, LovComponent component)
    {
        var magic = MagicOf(blob);
        int head = HeadSize(magic);
        if (head == 0 || blob.Length < head || objects > Lov.MaxStripeCount || blob.Length - head < objects * LovOstData.Size)
            return false;
        var md = MemoryMarshal.Read<LovMdsMd>(blob);
        component.Magic = magic;
        component.Pattern = md.Pattern;
        component.OiId = md.OiId;
        component.OiSeq = md.OiSeq;
        component.StripeSize = md.StripeSize;
        component.StripeCount = md.StripeCount;
        component.GenOrOffset = md.LayoutGen;
        if (magic != LovMagic.V1)
        {
            var name = blob.Slice(LovMdsMd.Size, Lov.PoolNameSize);
            int end = name.IndexOf((byte)0);
            if (end < 0)
                return false;
            component.Pool = Encoding.Latin1.GetString(name[..end]);
        }
        component.Objects = MemoryMarshal.Cast<byte, LovOstData>(blob.Slice(head, objects * LovOstData.Size)).ToArray();
        return true;
    }

    private static bool TryDecodeForeign(ReadOnlySpan<byte> ea, LovLayout layout)
    {
        if (ea.Length < LovForeignMd.Size)
            return false;
        uint length = MemoryMarshal.Read<LovForeignMd>(ea).Length;
        if (length > (uint)(ea.Length - LovForeignMd.Size))
            return false;
        layout.Foreign = ea[..(LovForeignMd.Size + (int)length)].ToArray();
        return true;
    }

    private static void EncodeComposite(LovLayout layout, Span<byte> to)
    {
        MemoryMarshal.Write(to, new LovCompMd
        {
            Magic = LovMagic.CompV1,
            TotalSize = (uint)to.Length,
            LayoutGen = layout.Generation,
            Flags = layout.Flags,
            EntryCount = (ushort)layout.Components.Count,
            MirrorCount = layout.MirrorCount,
        });
        int entryAt = LovCompMd.Size;
        int blobAt = LovCompMd.Size + layout.Components.Count * LovCompEntry.Size;
        foreach (var component in layout.Components)
        {
            int size = component.EncodedSize;
            MemoryMarshal.Write(to[entryAt..], new LovCompEntry
            {
                Id = component.Id,
                Flags = component.Flags,
                Start = component.Start,
                End = component.End,
                Offset = (uint)blobAt,
                BlobSize = (uint)size,
                LayoutGen = component.EntryLayoutGen,
                Timestamp = component.Timestamp,
            });
            EncodeBlob(component, to.Slice(blobAt, size));
            entryAt += LovCompEntry.Size;
            blobAt += RoundUp8(size);
        }
    }

    private static void EncodeBlob(LovComponent component, Span<byte> to)
    {
        if (component.ForeignBlob != null)
        {
            component.ForeignBlob.CopyTo(to);
            return;
        }
        MemoryMarshal.Write(to, new LovMdsMd
        {
            Magic = component.Magic,
            Pattern = component.Pattern,
            OiId = component.OiId,
            OiSeq = component.OiSeq,
            StripeSize = component.StripeSize,
            StripeCount = component.StripeCount,
            LayoutGen = component.GenOrOffset,
        });
        int at = LovMdsMd.Size;
        if (component.Magic != LovMagic.V1)
        {
            Encoding.Latin1.GetBytes(component.Pool, to.Slice(at, Lov.PoolNameSize - 1));
            at += Lov.PoolNameSize;
        }
        MemoryMarshal.AsBytes(component.Objects.AsSpan()).CopyTo(to[at..]);
    }

    private static int HeadSize(LovMagic magic) => magic switch
    {
        LovMagic.V1 => LovMdsMd.Size,
        LovMagic.V3 or LovMagic.Specific => LovMdsMd.SizeV3,
        _ => 0,
    };

    private static int RoundUp8(int value) => (value + 7) & ~7;
}
