using System.Buffers.Binary;
using Nacre.Tests;

namespace Nacre.LNet.Tests;

/// <summary>
/// The captures that other tests decode are whole: a damaged one would make those tests cover less, silently.
/// </summary>
public class CaptureFilesTests
{
    private const uint PcapMagic = 0xa1b2c3d4;
    private const int FileHeaderSize = 24;
    private const int RecordHeaderSize = 16;

    public static TheoryData<string> Names =>
        [.. Directory.GetFiles(RepositoryFiles.CapturesFolder, "*.pcap.gz").Select(path => Path.GetFileName(path)[..^8]).Order()];

    [Theory]
    [MemberData(nameof(Names))]
    public void RecordsChainToTheEndOfTheFile(string name)
    {
        var bytes = RepositoryFiles.ReadCapture(name).AsSpan();

        Assert.Equal(PcapMagic, BinaryPrimitives.ReadUInt32LittleEndian(bytes));
        var rest = bytes[FileHeaderSize..];
        var records = 0;
        while (!rest.IsEmpty)
        {
            var captured = BinaryPrimitives.ReadInt32LittleEndian(rest[8..]);
            var onTheWire = BinaryPrimitives.ReadInt32LittleEndian(rest[12..]);
            Assert.Equal(onTheWire, captured);
            rest = rest[(RecordHeaderSize + captured)..];
            records++;
        }

        Assert.NotEqual(0, records);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void HasATranscript(string name) =>
        Assert.True(new FileInfo(Path.Combine(RepositoryFiles.CapturesFolder, name + ".txt")).Length > 0);
}
