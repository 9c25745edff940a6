using Nacre.PtlRpc.Wire;

namespace Nacre.Client.Lov;

/// <summary>The layout of one file, checked and ready for use: RAID0 or a composite of such components (06 section 8). Immutable.</summary>
internal sealed class FileLayout
{
    private FileLayout(LovLayout layout) => Raw = layout;

    /// <summary>As decoded.</summary>
    public LovLayout Raw { get; }

    /// <summary>The generation to compare (05 section 11.6).</summary>
    public uint Generation => Raw.EffectiveGeneration;

    /// <summary>Data is in the data repository only: the first access has it restored.</summary>
    public bool IsReleased => Raw.Components.Exists(component => component.IsReleased);

    /// <summary>Parses a LOV EA as it comes from an MDT. False for a malformed one and for forms this client cannot do I/O with.</summary>
    public static bool TryParse(ReadOnlySpan<byte> ea, out FileLayout? layout)
    {
        layout = LovCodec.TryDecode(ea, userForm: false, out var raw) ? new FileLayout(raw) : null;
        return layout is not null;
    }
}
