using Nacre.Cli.Lfs;

namespace Nacre.Cli.Tests.Lfs;

/// <summary>The tables of <c>lfs df</c>, against those of Lustre 2.15.8 for the same numbers.</summary>
public class DfTests
{
    [Fact]
    public void Space_reads_as_from_the_genuine_tool() => Assert.Equal(
        """
        UUID                   1K-blocks        Used   Available Use% Mounted on
        demo01-MDT0000_UUID    264212084   191600268    72611816  73% /mnt/lustre[MDT:0]
        demo01-OST0000_UUID   1258291200           0    71563208   0% /mnt/lustre[OST:0]
        demo01-OST0001_UUID   1258291200           0    71563208   0% /mnt/lustre[OST:1]

        filesystem_summary:   2516582400           0   143126416   0% /mnt/lustre


        """,
        Text(
        [
            new TargetLine(true, 0, "demo01-MDT0000_UUID", true, [4096, 66053021, 18152954, 18152954, 100, 50]),
            new TargetLine(false, 0, "demo01-OST0000_UUID", true, [4096, 314572800, 314572800, 17890802, 100, 50]),
            new TargetLine(false, 1, "demo01-OST0001_UUID", true, [4096, 314572800, 314572800, 17890802, 100, 50]),
        ]));

    [Fact]
    public void Inodes_read_as_from_the_genuine_tool() => Assert.StartsWith(
        """
        UUID                      Inodes       IUsed       IFree IUse% Mounted on
        nacre01-MDT0000_UUID      103616         686      102930   1% /mnt/lustre[MDT:0]
        nacre01-OST0000_UUID       14245         549       13696   4% /mnt/lustre[OST:0]

        """,
        Text(
        [
            new TargetLine(true, 0, "nacre01-MDT0000_UUID", true, [4096, 100, 50, 50, 103616, 102930]),
            new TargetLine(false, 0, "nacre01-OST0000_UUID", true, [4096, 100, 50, 50, 14245, 13696]),
        ],
        isInodes: true));

    /// <summary>Files need objects: with one OST nearly full of them, no more files can be made than it has left.</summary>
    [Fact]
    public void The_objects_left_bound_the_files_that_can_be_made() => Assert.EndsWith(
        "filesystem_summary:          110         100          10  91% /m\n\n",
        Text(
        [
            new TargetLine(true, 0, "a-MDT0000_UUID", true, [4096, 1, 1, 1, 1000, 900]),
            new TargetLine(false, 0, "a-OST0000_UUID", true, [4096, 1, 1, 1, 50, 10]),
        ],
        isInodes: true,
        mountPoint: "/m"));

    [Fact]
    public void A_target_that_does_not_answer_is_shown_and_not_counted() => Assert.Contains(
        "a-OST0001_UUID      : inactive device\n",
        Text(
        [
            new TargetLine(true, 0, "a-MDT0000_UUID", true, [4096, 1, 1, 1, 1, 1]),
            new TargetLine(false, 0, "a-OST0000_UUID", true, [4096, 1, 1, 1, 1, 1]),
            new TargetLine(false, 1, "a-OST0001_UUID", false, []),
        ]));

    private static string Text(IReadOnlyList<TargetLine> targets, bool isInodes = false, string mountPoint = "/mnt/lustre")
    {
        using var text = new StringWriter();
        Df.Write(text, mountPoint, targets, isHuman: false, isInodes);
        return text.ToString();
    }
}
