using Nacre.Ldlm.Wire;

namespace Nacre.Ldlm.Tests.Wire;

public class LockModeTests
{
    private static readonly LockMode[] Modes =
        [LockMode.EX, LockMode.PW, LockMode.PR, LockMode.CW, LockMode.CR, LockMode.NL, LockMode.Group, LockMode.COS];

    // 03 section 3.3, typed from the table.
    private static readonly string[] Matrix =
        ["00000100", "00001100", "00101100", "00011100", "01111100", "11111110", "00000110", "00000001"];

    [Fact]
    public void CompatibilityIsTheMatrix()
    {
        for (var i = 0; i < Modes.Length; i++)
            for (var j = 0; j < Modes.Length; j++)
                Assert.True(Matrix[i][j] == '1' == LockModes.Compatible(Modes[i], Modes[j]), $"{Modes[i]} beside {Modes[j]}");
    }

    [Fact]
    public void ConflictSetIsTheRestOfTheMatrix()
    {
        foreach (var mode in Modes)
            Assert.Equal(0xffu, LockModes.CompatibleSet(mode) ^ LockModes.ConflictSet(mode));
    }

    [Theory]
    [InlineData(0u, false)]
    [InlineData(1u, true)]
    [InlineData(3u, false)]
    [InlineData(64u, true)]
    [InlineData(128u, false)]
    [InlineData(0x80000000u, false)]
    public void OnlySingleModesCanBeRequested(uint mode, bool accepted) =>
        Assert.Equal(accepted, LockModes.IsRequestable((LockMode)mode));
}
