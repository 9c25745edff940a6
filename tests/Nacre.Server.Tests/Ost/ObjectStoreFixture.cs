using Microsoft.Extensions.Logging.Abstractions;
using Nacre.PtlRpc.Wire;
using Nacre.Server.Storage.Objects;

namespace Nacre.Server.Tests.Ost;

/// <summary>Makes stores for tests.</summary>
internal static class Stores
{
    public static readonly LuFid Fid = new(0x2_4000_0400, 7);

    public static LuFid FidOf(uint oid) => new(0x2_4000_0400, oid);

    public static ObjectStore Over(IObjectFiles files, long capacity = 1L << 40, int maxOpen = 16) => new(
        files, new ObjectStoreOptions { CapacityBytes = capacity, MaxOpenObjects = maxOpen }, TimeProvider.System,
        NullLogger<ObjectStore>.Instance);

    public static void WriteAll(this IStoredObject stored, long offset, byte[] data, ObjectChange change = default)
    {
        stored.Write(offset, data);
        stored.Commit(change);
    }

    public static byte[] ReadAll(this IStoredObject stored, long offset, int length)
    {
        var data = new byte[length];
        int n = stored.Read(offset, data);
        return data[..n];
    }
}

/// <summary>A folder that is deleted with its test.</summary>
internal sealed class ScratchFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("nacre-objects-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
