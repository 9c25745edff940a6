using Nacre.Server.Node;

namespace Nacre.Server.Tests.Node;

public class FileSystemSpecTests
{
    [Theory]
    [InlineData("demo01", "demo01", null, null)]
    [InlineData("a,osts=4", "a", 4, null)]
    [InlineData("a_-9,capacity-gib=2400,osts=256", "a_-9", 256, 2400L)]
    public void A_specification_says_name_osts_and_capacity(string text, string name, int? osts, long? capacity) =>
        Assert.Equal(new FileSystemSpec(name, osts, capacity), FileSystemSpec.Parse(text));

    [Theory]
    [InlineData("", "needs a name")]
    [InlineData("toolongname", "11 characters")]
    [InlineData("a/b", "'/'")]
    [InlineData("a,osts=0", "1 to 256")]
    [InlineData("a,osts=257", "1 to 256")]
    [InlineData("a,osts=-1", "1 to 256")]
    [InlineData("a,osts=", "1 to 256")]
    [InlineData("a,capacity-gib=99999999999999999999", "whole number")]
    [InlineData("a,osts=1,osts=2", "twice")]
    [InlineData("a,stripes=2", "unknown option 'stripes'")]
    public void A_wrong_specification_is_refused_in_one_line(string text, string reason)
    {
        var refusal = Assert.Throws<NodeConfigurationException>(() => FileSystemSpec.Parse(text));
        Assert.Contains(reason, refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refusal.Message);
    }
}
