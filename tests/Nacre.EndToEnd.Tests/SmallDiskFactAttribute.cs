using Nacre.EndToEnd.Harness;

namespace Nacre.EndToEnd;

/// <summary>A test that needs a <see cref="SmallDisk"/>; skipped, with the reason, where none can be made.</summary>
public sealed class SmallDiskFactAttribute : FactAttribute
{
    public SmallDiskFactAttribute() => Skip = SmallDisk.WhyNot;
}
