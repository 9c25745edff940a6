namespace Nacre.EndToEnd.Posix;

/// <summary>statvfs(3).</summary>
public class StatFsTests(PosixMounts mounts) : PosixTests(mounts)
{
    [PosixFact]
    public void Space_and_names_are_told_anywhere_in_the_file_system()
    {
        NewFile("f");
        foreach (string path in (string[])[One(), One("f"), Two("f")])
        {
            var (blocks, free, available, files, freeFiles, blockSize, nameLength) = Sys.StatFs(path);
            Assert.True(blocks >= free && free >= available && available > 0, $"{blocks} {free} {available}");
            Assert.True(files > freeFiles && freeFiles > 0, $"{files} {freeFiles}");
            Assert.Equal(255UL, nameLength);
            Assert.InRange(blockSize, 512UL, 1UL << 22);
        }
    }
}
