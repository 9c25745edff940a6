using Nacre.PtlRpc.Wire;

namespace Nacre.Bench.Loads;

/// <summary>An object on the OST. <see cref="Index"/> goes into the data, so that one object's data in another is noticed.</summary>
internal sealed record BenchObject(LuFid Fid, int Index);
