using Nacre.Server.Mdt.FileSystem;

namespace Nacre.Server.Tests.Mdt;

public sealed class CreateTests : IDisposable
{
    private readonly MdtFixture _mdt = new();

    public void Dispose() => _mdt.Dispose();

    [Fact]
    public async Task A_file_is_there_with_its_attributes_before_and_after_a_restart()
    {
        var result = _mdt.Make("a", ModeBits.Regular | 0x1B6, MdtFixture.User(0), layout: [1, 2, 3], umask: 0x12);
        Assert.NotEqual(0u, result.Transno);
        await _mdt.Store.WhenCommitted(result.Transaction);
        Assert.True(_mdt.Store.CommittedTransno >= result.Transno);
        var before = _mdt.GetAttr("a");
        _mdt.Reopen();
        var after = _mdt.GetAttr("a");
        Assert.Equal(before.Attributes, after.Attributes);
        Assert.Equal([1, 2, 3], after.Layout.ToArray());
        Assert.Equal(ModeBits.Regular | 0x1A4u, after.Attributes.Mode);
        Assert.Equal(1u, after.Attributes.NLink);
        Assert.Equal(0u, after.Transaction);
    }
}
