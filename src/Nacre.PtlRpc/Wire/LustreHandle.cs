using System.Globalization;
using System.Runtime.InteropServices;

namespace Nacre.PtlRpc.Wire;

/// <summary><c>lustre_handle</c>: 8 opaque bytes that the peer echoes (02 section 9.1).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public readonly record struct LustreHandle(ulong Cookie)
{
    public const int Size = 8;

    public static implicit operator ulong(LustreHandle handle) => handle.Cookie;

    public static implicit operator LustreHandle(ulong cookie) => new(cookie);

    public override string ToString() => Cookie.ToString("x16", CultureInfo.InvariantCulture);
}
