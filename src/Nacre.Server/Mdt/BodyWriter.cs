using System.Runtime.InteropServices;
using Nacre.PtlRpc.Wire;
using Nacre.Server.Mdt.FileSystem;

namespace Nacre.Server.Mdt;

/// <summary>Fills <c>mdt_body</c> replies (05 sections 2.4 and 20.2).</summary>
internal static class BodyWriter
{
    /// <summary>
    /// Describes an object. Flags and project id are always marked valid: a genuine server leaves them out where they never
    /// were set, but a client that learns only of changes cannot notice that another client took a flag away.
    /// </summary>
    /// <param name="body">Zeroed; gets fields and valid bits.</param>
    /// <param name="found">The object.</param>
    /// <param name="withSize">False for the replies that never speak of a regular file's size (SETATTR, UNLINK, SYNC...).</param>
    public static void Describe(ref MdtBody body, in MdtObject found, bool withSize = true)
    {
        // Copied once: the property gives a copy of the whole record each time.
        var attributes = found.Attributes;
        body.Fid1 = attributes.Fid;
        body.Mode = attributes.Mode;
        body.Uid = attributes.Uid;
        body.Gid = attributes.Gid;
        body.Nlink = attributes.NLink;
        body.Projid = attributes.ProjId;
        body.Flags = (uint)attributes.Flags;
        body.Rdev = attributes.RDev;
        body.ObjectSize = attributes.Size;
        body.Blocks = attributes.Blocks;
        body.Mtime = attributes.MTime.Seconds;
        body.Atime = attributes.ATime.Seconds;
        body.Ctime = attributes.CTime.Seconds;
        body.Btime = attributes.BTime.Seconds;
        body.Valid = ObdMd.FlFlags | ObdMd.FlProjid | (attributes.IsRegular ? RegularSet(ref body, found, withSize) : ObdMd.SetOther);
    }

    /// <summary>Which size a regular file has here: exact without objects, lazy after a close, else only the OSTs know.</summary>
    private static ObdMd RegularSet(ref MdtBody body, in MdtObject found, bool withSize)
    {
        if (!withSize)
            return ObdMd.SetRegular;
        if (found.Layout.IsEmpty)
        {
            body.Blocks = 0;
            return ObdMd.SetNoObjects;
        }
        if (IsReleased(found.Layout.Span))
        {
            body.Blocks = body.ObjectSize == 0 ? 0u : 1u;
            return ObdMd.SetNoObjects;
        }
        return found.Attributes.HasLazySize ? ObdMd.SetLazy : ObdMd.SetRegular;
    }

    /// <summary>Whether the data of a file is only in the archive: the RELEASED pattern in its (first) component.</summary>
    public static bool IsReleased(ReadOnlySpan<byte> layout)
    {
        var magic = LovCodec.MagicOf(layout);
        if (magic == LovMagic.CompV1 && layout.Length >= LovCompMd.Size + LovCompEntry.Size)
        {
            uint offset = MemoryMarshal.Read<LovCompEntry>(layout[LovCompMd.Size..]).Offset;
            if (offset > layout.Length)
                return false;
            layout = layout[(int)offset..];
            magic = LovCodec.MagicOf(layout);
        }
        return magic is LovMagic.V1 or LovMagic.V3 && layout.Length >= LovMdsMd.Size
            && (MemoryMarshal.Read<LovMdsMd>(layout).Pattern & LovPattern.Released) != 0;
    }
}
