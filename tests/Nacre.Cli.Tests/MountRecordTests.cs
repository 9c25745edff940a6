using Nacre.Cli.Mount;

namespace Nacre.Cli.Tests;

public class MountRecordTests
{
    [Theory]
    [InlineData("/run/user/1000", "/run/user/1000/nacre")]
    [InlineData("", "/home/ann/.local/share/nacre")]
    [InlineData(null, "/home/ann/.local/share/nacre")]
    public void A_user_keeps_it_where_nobody_else_can_put_a_link(string? runFolder, string expected) =>
        Assert.Equal(expected, MountRecord.FolderOf(runFolder, "/home/ann/.local/share"));
}
