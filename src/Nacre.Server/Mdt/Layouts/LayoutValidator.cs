using System.Buffers.Binary;
using Nacre.PtlRpc.Wire;

namespace Nacre.Server.Mdt.Layouts;

/// <summary>Parses and checks layouts that clients ask for (05 section 11.4). Throws <see cref="FsException"/>:
/// EINVAL for anything malformed or out of range, EOPNOTSUPP for what this server does not have (data on MDT, mirrors,
/// overstriping, self-extending and foreign layouts).</summary>
public static class LayoutValidator
{
    /// <summary>Decodes and checks a <c>lov_user_md</c>; bytes behind it are ignored.</summary>
    /// <param name="ea">The request's EADATA, or the value of a layout xattr.</param>
    /// <param name="targetExists">Whether an OST of this index is configured.</param>
    public static LovLayout ParseUserLayout(ReadOnlySpan<byte> ea, Func<int, bool> targetExists)
    {
        if (LovCodec.MagicOf(ea) is LovMagic.Foreign or LovMagic.Sel)
            throw new FsException(Errno.EOPNOTSUPP);
        if (!LovCodec.TryDecode(ea, userForm: true, out var layout))
            throw new FsException(Errno.EINVAL);
        if (layout.IsComposite)
            CheckComposite(layout, targetExists);
        else
            CheckComponent(layout.Components[0], targetExists);
        return layout;
    }

    /// <summary>Bytes of the layout at the start of <paramref name="ea"/>, without what stands behind it: what is stored
    /// as a directory's default, so that it reads back exactly as it was set (05 section 11.5).</summary>
    public static int UserLayoutLength(ReadOnlySpan<byte> ea, LovLayout parsed) => LovCodec.MagicOf(ea) switch
    {
        LovMagic.V1 => LovMdsMd.Size,
        LovMagic.V3 => LovMdsMd.SizeV3,
        LovMagic.CompV1 => (int)BinaryPrimitives.ReadUInt32LittleEndian(ea[sizeof(uint)..]),
        _ => parsed.Components[0].EncodedSize,
    };

    /// <summary>Whether this is the request to delete a directory's default: V1 with size 0, count 0, offset any.</summary>
    public static bool IsDeleteDefault(LovLayout layout) =>
        !layout.IsComposite && layout.Components[0] is
        { Magic: LovMagic.V1, StripeSize: 0, StripeCount: 0, GenOrOffset: Lov.Any };

    private static void CheckComposite(LovLayout layout, Func<int, bool> targetExists)
    {
        if (layout.MirrorCount != 0 || layout.Flags != 0)
            throw new FsException(Errno.EOPNOTSUPP);
        ulong expectedStart = 0;
        foreach (var component in layout.Components)
        {
            if (component.Start == 0 && expectedStart != 0)
                throw new FsException(Errno.EOPNOTSUPP); // A second mirror starts over.
            if (component.Start != expectedStart || component.End <= component.Start)
                throw new FsException(Errno.EINVAL);
            if (component.End != Lov.Eof && component.End % Lov.StripeSizeUnit != 0)
                throw new FsException(Errno.EINVAL);
            CheckComponentFlags(component);
            CheckComponent(component, targetExists);
            if (component.StripeSize != 0 && component.End != Lov.Eof && component.End % component.StripeSize != 0)
                throw new FsException(Errno.EINVAL);
            expectedStart = component.End;
        }
    }

    private static void CheckComponentFlags(LovComponent component)
    {
        if ((component.Flags & LovCompFlags.Extension) != 0)
            throw new FsException(Errno.EOPNOTSUPP);
        const LovCompFlags allowed = LovCompFlags.PreferRead | LovCompFlags.PreferWrite | LovCompFlags.NoSync;
        if ((component.Flags & ~allowed) != 0)
            throw new FsException(Errno.EINVAL);
    }

    private static void CheckComponent(LovComponent component, Func<int, bool> targetExists)
    {
        if (component.ForeignBlob != null)
            throw new FsException(Errno.EOPNOTSUPP);
        CheckPattern(component.Pattern);
        if (component.StripeSize % Lov.StripeSizeUnit != 0)
            throw new FsException(Errno.EINVAL);
        if (component.StripeCount > Lov.MaxStripeCount && component.StripeCount != Lov.Any)
            throw new FsException(Errno.EINVAL);
        if (component.GenOrOffset != Lov.Any && !targetExists(component.GenOrOffset))
            throw new FsException(Errno.EINVAL);
        CheckPool(component.Pool);
        if (component.Magic == LovMagic.Specific)
            CheckTargetList(component, targetExists);
    }

    private static void CheckPattern(LovPattern pattern)
    {
        if ((pattern & (LovPattern.Mdt | LovPattern.Overstriping | LovPattern.Foreign)) != 0)
            throw new FsException(Errno.EOPNOTSUPP);
        // RELEASED: a file whose data is in an archive is imported (07 section 9).
        if ((pattern & ~LovPattern.Released) is not (LovPattern.None or LovPattern.Raid0))
            throw new FsException(Errno.EINVAL);
    }

    /// <summary>No pools are configured; the names that mean "no pool" pass.</summary>
    private static void CheckPool(string pool)
    {
        if (pool is not ("" or "none" or "ignore" or "inherit"))
            throw new FsException(Errno.EINVAL);
    }

    private static void CheckTargetList(LovComponent component, Func<int, bool> targetExists)
    {
        if (component.Objects.Length == 0 || component.Objects.Length != component.StripeCount)
            throw new FsException(Errno.EINVAL);
        var seen = new HashSet<uint>();
        foreach (var entry in component.Objects)
        {
            if (entry.OstIndex >= Lov.Any || !targetExists((int)entry.OstIndex) || !seen.Add(entry.OstIndex))
                throw new FsException(Errno.EINVAL);
        }
    }
}
