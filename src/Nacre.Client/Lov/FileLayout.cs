using System.Diagnostics.CodeAnalysis;
using Nacre.PtlRpc.Wire;
using Limits = Nacre.PtlRpc.Wire.Lov;

namespace Nacre.Client.Lov;

/// <summary>The layout of one file, checked and ready for use: RAID0 or a composite of such components (06 section 8). Immutable.</summary>
internal sealed class FileLayout
{
    private readonly Component[] _components;

    private FileLayout(LovLayout layout, Component[] components)
    {
        Raw = layout;
        _components = components;
        IsReleased = layout.Components.Exists(component => component.IsReleased);
    }

    /// <summary>As decoded.</summary>
    public LovLayout Raw { get; }

    /// <summary>The generation to compare (05 section 11.6).</summary>
    public uint Generation => Raw.EffectiveGeneration;

    /// <summary>Data is in the data repository only: the first access has it restored.</summary>
    public bool IsReleased { get; }

    /// <summary>In the order of the file, without overlap.</summary>
    public ReadOnlySpan<Component> Components => _components;

    /// <summary>
    /// Parses a LOV EA as it comes from an MDT. False for a malformed one and for forms this client cannot do I/O with: data on an MDT,
    /// mirrors, foreign.
    /// </summary>
    public static bool TryParse(ReadOnlySpan<byte> ea, [NotNullWhen(true)] out FileLayout? layout)
    {
        layout = LovCodec.TryDecode(ea, userForm: false, out var raw) ? TryBuild(raw) : null;
        return layout is not null;
    }

    /// <summary>Null for forms this client cannot do I/O with.</summary>
    public static FileLayout? TryBuild(LovLayout raw)
    {
        if (raw.Foreign is not null || raw.MirrorCount != 0)
        {
            return null;
        }

        List<Component> components = [];
        foreach (var part in raw.Components)
        {
            if (!TryBuild(raw, part, components.Count, out var component)
                || (components.Count > 0 && component.Start < components[^1].End))
            {
                return null;
            }

            components.Add(component);
        }

        return new FileLayout(raw, [.. components]);
    }

    /// <summary>The component that holds a byte of the file; null where the layout has none.</summary>
    public Component? Find(long offset)
    {
        foreach (var component in _components)
        {
            if (offset < component.End)
            {
                return offset >= component.Start ? component : null;
            }
        }

        return null;
    }

    /// <summary>Whether a part of [start, end) lies in a component without objects, which a write has to get first.</summary>
    public bool NeedsObjects(long start, long end)
    {
        foreach (var component in _components)
        {
            if (!component.HasObjects && start < component.End && end > component.Start)
            {
                return true;
            }
        }

        return false;
    }

    private static bool TryBuild(LovLayout raw, LovComponent part, int index, [NotNullWhen(true)] out Component? component)
    {
        component = null;
        const LovPattern Understood = LovPattern.Raid0 | LovPattern.Overstriping | LovPattern.Released | LovPattern.Hole;
        if (part.ForeignBlob is not null || (part.Pattern & ~Understood) != 0 || part.End <= part.Start || part.Start > long.MaxValue)
        {
            return false;
        }

        var hasObjects = !part.IsReleased && (!raw.IsComposite || part.IsInstantiated);
        var unsound = part.StripeSize == 0 || part.StripeSize % Limits.StripeSizeUnit != 0
            || part.Objects.Length == 0 || part.Objects.Length != part.StripeCount;
        if (hasObjects && unsound)
        {
            return false;
        }

        component = new Component(part, index, raw.IsComposite, hasObjects);
        return true;
    }
}

/// <summary>One component of a layout with the arithmetic of RAID0: 06 section 8.1. Offsets and sizes are bytes.</summary>
internal sealed class Component(LovComponent raw, int index, bool isComposite, bool hasObjects)
{
    private readonly long _unit = raw.StripeSize;
    private readonly long _row = (long)raw.StripeSize * raw.StripeCount;

    /// <summary>Its place among the components.</summary>
    public int Index { get; } = index;

    /// <summary>First byte of the file.</summary>
    public long Start { get; } = (long)raw.Start;

    /// <summary>Behind its last byte; <see cref="long.MaxValue"/> for all the rest.</summary>
    public long End { get; } = (long)Math.Min(raw.End, long.MaxValue);

    public bool HasObjects { get; } = hasObjects;

    public ReadOnlySpan<LovOstData> Objects => raw.Objects;

    public int StripeCount => raw.StripeCount;

    /// <summary>What requests about an object say of its place (06 section 2.5).</summary>
    public OstLayout Wire { get; } = new()
    {
        StripeSize = raw.StripeSize,
        StripeCount = raw.StripeCount,
        CompStart = isComposite ? raw.Start : 0,
        CompEnd = isComposite ? raw.End : 0,
        CompId = isComposite ? raw.Id : 0,
    };

    /// <summary>Which stripe holds a byte of the file, where in the object it is, and how many bytes follow there.</summary>
    public (int Stripe, long ObjectOffset, long Length) Locate(long offset)
    {
        var inUnit = offset % _unit;
        return ((int)(offset % _row / _unit), (offset / _row * _unit) + inUnit, Math.Min(_unit - inUnit, End - offset));
    }

    /// <summary>Size of an object when the file is dense up to <paramref name="size"/>; saturates for the end of all files.</summary>
    public long ObjectSize(int stripe, long size)
    {
        if (size == long.MaxValue)
        {
            return long.MaxValue;
        }

        return (size / _row * _unit) + Math.Clamp((size % _row) - (stripe * _unit), 0, _unit);
    }

    /// <summary>Where a byte of an object is in the file; saturates.</summary>
    public long FileOffset(int stripe, long objectOffset)
    {
        var rows = objectOffset / _unit;
        var rest = (stripe * _unit) + (objectOffset % _unit);
        return rows > (long.MaxValue - rest) / _row ? long.MaxValue : (rows * _row) + rest;
    }

    /// <summary>Size of the file that an object of a size implies; 0 for an empty one.</summary>
    public long FileSize(int stripe, long objectSize)
    {
        if (objectSize == 0)
        {
            return 0;
        }

        var last = FileOffset(stripe, objectSize - 1);
        return last == long.MaxValue ? last : last + 1;
    }
}
