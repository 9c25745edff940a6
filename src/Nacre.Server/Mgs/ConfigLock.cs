using Nacre.Ldlm.Wire;

namespace Nacre.Server.Mgs;

/// <summary>Names of the PLAIN locks under which clients follow configuration (04 section 8.1).</summary>
internal static class ConfigLock
{
    /// <summary>Type of the lock on client, server and sptlrpc logs.</summary>
    public const ulong Configuration = 0;

    /// <summary>The file system's name, at most 8 bytes in string order, and the type.</summary>
    public static LdlmResId Resource(string fileSystem, ulong type)
    {
        ulong name = 0;
        for (var i = 0; i < fileSystem.Length; i++)
        {
            name |= (ulong)(byte)fileSystem[i] << (8 * i);
        }

        return new LdlmResId(name, type);
    }
}
