using System.Globalization;

namespace Nacre.LNet;

/// <summary>
/// An LNet process: its NID and process id. All connections of one such pair form one peer (01 section 5.5).
/// </summary>
public readonly record struct PeerId(Nid Nid, uint Pid)
{
    /// <summary>Process id of every kernel Lustre node (01 section 2.4).</summary>
    public const uint LustrePid = 12345;

    /// <summary>Set in the process id that a kernel invents for an unprivileged peer (01 section 3.5).</summary>
    public const uint UserFlag = 0x8000_0000;

    /// <summary>The Lustre process of a node.</summary>
    public PeerId(Nid nid)
        : this(nid, LustrePid)
    {
    }

    public override string ToString()
    {
        var prefix = (Pid & UserFlag) != 0 ? "U" : "";
        return string.Create(CultureInfo.InvariantCulture, $"{prefix}{Pid & ~UserFlag}-{Nid}");
    }
}
