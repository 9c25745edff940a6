using System.Security.Cryptography;

namespace Nacre.Ldlm.Engine;

/// <summary>
/// Lock handles: 64 bits, never 0, never repeated while the process lives, and different after each start so that a
/// handle kept from before a restart hits nothing. Protocol reference 03 section 18.1.
/// </summary>
/// <remarks>A counter goes through a bijection keyed at start: distinct inputs give distinct handles, and neighbours look
/// unrelated. Handles are names, not secrets: the owner is always checked as well.</remarks>
internal static class HandleSource
{
    private static readonly ulong Key = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8));
    private static long _counter;

    public static ulong Next()
    {
        ulong handle;
        do
            handle = Mix(unchecked((ulong)Interlocked.Increment(ref _counter) + Key));
        while (handle == 0);
        return handle;
    }

    // Each step is invertible: multiplication by an odd number, xor with the own shifted upper part.
    private static ulong Mix(ulong x)
    {
        x *= 0x9e37_79b9_7f4a_7c15;
        x ^= x >> 32;
        x *= 0xd6e8_feb8_6659_fd93;
        return x ^ (x >> 29);
    }
}
