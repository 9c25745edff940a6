using Nacre.Client.Mdc;
using Nacre.Ldlm.Wire;

namespace Nacre.Client.Inodes;

/// <summary>Extended attributes cached under the XATTR bit: all of them or none. The access ACL is cached with the mode instead.</summary>
internal sealed partial class LustreInode
{
    private Dictionary<byte[], byte[]>? _xattrs;

    /// <summary>All attributes but the access ACL; null when they are not cached.</summary>
    public IReadOnlyDictionary<byte[], byte[]>? Xattrs
    {
        get
        {
            lock (_gate)
            {
                return (_bits & InodeBits.Xattr) != 0 ? _xattrs : null;
            }
        }
    }

    /// <summary>Takes over what came with the XATTR lock that <paramref name="answer"/> still pins. Null when it contradicts itself.</summary>
    public IReadOnlyDictionary<byte[], byte[]>? TakeXattrs(in IntentReply answer)
    {
        var xattrs = new Dictionary<byte[], byte[]>(ByteNames.Comparer);
        if (!MetadataClient.TryReadXattrs(answer, xattrs))
        {
            return null;
        }

        xattrs.Remove(XattrNames.AccessAcl.ToArray());
        lock (_gate)
        {
            if ((_bits & InodeBits.Xattr) != 0)
            {
                _xattrs = xattrs;
            }
        }

        return xattrs;
    }
}

/// <summary>Names of extended attributes with a meaning of their own.</summary>
internal static class XattrNames
{
    public static ReadOnlySpan<byte> AccessAcl => "system.posix_acl_access"u8;

    public static ReadOnlySpan<byte> DefaultAcl => "system.posix_acl_default"u8;

    public static ReadOnlySpan<byte> Trusted => "trusted."u8;

    public static ReadOnlySpan<byte> Layout => "trusted.lov"u8;
}
