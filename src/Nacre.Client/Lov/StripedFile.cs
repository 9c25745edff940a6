using Nacre.Client.Osc;

namespace Nacre.Client.Lov;

/// <summary>A layout with the objects it names. Immutable; those who use it are counted, so that a new layout can wait for them.</summary>
internal sealed class StripedFile(FileLayout layout, ObjectData?[][] objects)
{
    public FileLayout Layout { get; } = layout;

    /// <summary>The object of a stripe; null when the mount knows no such OST.</summary>
    public ObjectData? this[Component component, int stripe] => objects[component.Index][stripe];

    /// <summary>OSTs that the layout names and the mount does not know; almost always none.</summary>
    public IReadOnlyList<int> UnknownTargets { get; } = FindUnknown(layout, objects);

    /// <summary>All objects, by component and stripe: the order in which several are locked.</summary>
    public IEnumerable<Stripe> Stripes()
    {
        for (var index = 0; index < objects.Length; index++)
        {
            for (var stripe = 0; stripe < objects[index].Length; stripe++)
            {
                yield return new Stripe(Layout.Components[index], stripe, objects[index][stripe]);
            }
        }
    }

    /// <summary>The shares of [start, end), in the order in which they are locked.</summary>
    public void AddShares(long start, long end, List<Share> shares)
    {
        foreach (var component in Layout.Components)
        {
            var (from, to) = (Math.Max(start, component.Start), Math.Min(end, component.End));
            if (from < to && component.HasObjects)
            {
                AddShares(component, from, to, shares);
            }
        }
    }

    /// <summary>Size of the file as far as known without asking.</summary>
    public long KnownSize()
    {
        var size = 0L;
        for (var index = 0; index < objects.Length; index++)
        {
            var component = Layout.Components[index];
            for (var stripe = 0; stripe < objects[index].Length; stripe++)
            {
                if (objects[index][stripe] is { KnownSize: var known and > 0 })
                {
                    size = Math.Max(size, component.FileSize(stripe, known));
                }
            }
        }

        return size;
    }

    private static List<int> FindUnknown(FileLayout layout, ObjectData?[][] objects)
    {
        List<int>? unknown = null;
        for (var index = 0; index < objects.Length; index++)
        {
            for (var stripe = 0; stripe < objects[index].Length; stripe++)
            {
                if (objects[index][stripe] is null)
                {
                    (unknown ??= []).Add((int)layout.Components[index].Objects[stripe].OstIndex);
                }
            }
        }

        return unknown ?? NoTargets;
    }

    private static readonly List<int> NoTargets = [];

    private void AddShares(Component component, long from, long to, List<Share> shares)
    {
        var (stripe, offset, length) = component.Locate(from);
        if (to - from <= length)
        {
            shares.Add(new Share(component, stripe, this[component, stripe], offset, offset + to - from));
            return;
        }

        for (stripe = 0; stripe < component.StripeCount; stripe++)
        {
            var (low, high) = (component.ObjectSize(stripe, from), component.ObjectSize(stripe, to));
            if (low < high)
            {
                shares.Add(new Share(component, stripe, this[component, stripe], low, high));
            }
        }
    }
}

/// <summary>One object in its place.</summary>
internal readonly record struct Stripe(Component Component, int Index, ObjectData? Object);

/// <summary>The part [Start, End) of an object that a range of the file has.</summary>
internal readonly record struct Share(Component Component, int Stripe, ObjectData? Object, long Start, long End);

/// <summary>Where an object is in its file; <see cref="ObjectData.Place"/>.</summary>
internal sealed record ObjectPlace(Component Component, int Stripe);
