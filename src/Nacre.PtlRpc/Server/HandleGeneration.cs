namespace Nacre.PtlRpc;

/// <summary>
/// Tells a client of a removed target from one of the target that has its name now. A client that reconnects sends the handle of its last
/// connection, however long ago that was; the upper 24 bits of a handle are the generation of the target that gave it out.
/// </summary>
internal static class HandleGeneration
{
    private const int Shift = 40;
    private const uint Mask = 0xff_ffff;

    /// <summary>The handle to give out, from random bits. Generation 0 leaves it as it is: nobody could be confused.</summary>
    public static ulong Mark(ulong random, uint generation) =>
        generation == 0 ? random : (random & ((1ul << Shift) - 1)) | ((ulong)(generation & Mask) << Shift);

    /// <summary>The handle of a connect is not from a target of this generation. 0 is no handle: a client that was never connected.</summary>
    public static bool IsForeign(ulong handle, uint generation) =>
        generation != 0 && handle != 0 && (uint)(handle >> Shift) != (generation & Mask);
}
