using System.IO.Compression;
using System.Reflection;

namespace Nacre.Tests;

/// <summary>Finds files of the source tree that tests read, such as the captures.</summary>
internal static class RepositoryFiles
{
    /// <summary>The repository's root folder, as it was when the test assembly was built.</summary>
    public static string Root { get; } = typeof(RepositoryFiles).Assembly
        .GetCustomAttributes<AssemblyMetadataAttribute>()
        .Single(attribute => attribute.Key == "Nacre.RepositoryRoot").Value!;

    public static string CapturesFolder => Path.Combine(Root, "tests", "captures");

    /// <summary>The uncompressed bytes of <c>tests/captures/NAME.pcap.gz</c>.</summary>
    public static byte[] ReadCapture(string name)
    {
        using var file = File.OpenRead(Path.Combine(CapturesFolder, name + ".pcap.gz"));
        using var gzip = new GZipStream(file, CompressionMode.Decompress);
        using var bytes = new MemoryStream();
        gzip.CopyTo(bytes);
        return bytes.ToArray();
    }
}
