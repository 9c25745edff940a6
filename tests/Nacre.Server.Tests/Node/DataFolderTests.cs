using Nacre.Server.Node;

namespace Nacre.Server.Tests.Node;

public sealed class DataFolderTests : IDisposable
{
    private readonly string _path = Directory.CreateTempSubdirectory("nacre-data-").FullName;

    public void Dispose() => Directory.Delete(_path, recursive: true);

    [Fact]
    public void What_was_saved_is_there_when_the_folder_is_opened_again()
    {
        var record = new FileSystemRecord("demo", 2, 2400);
        using (var folder = DataFolder.Open(_path))
        {
            folder.Save(record with { OstCount = 1 });
            folder.Save(record);
        }

        using var again = DataFolder.Open(_path);
        Assert.Equal([record], again.FileSystems());
    }

    [Fact]
    public void A_folder_in_use_is_refused()
    {
        using var folder = DataFolder.Open(_path);
        Assert.Contains("in use", Refusal(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nacre data 2", "use a newer nacre")]
    [InlineData("nacre data x", "damaged")]
    [InlineData("", "damaged")]
    public void A_format_this_nacre_does_not_know_is_refused(string format, string reason)
    {
        File.WriteAllText(Path.Combine(_path, "nacre.format"), format);
        Assert.Contains(reason, Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_of_somebody_else_is_refused_and_left_as_it_is()
    {
        File.WriteAllText(Path.Combine(_path, "thesis.tex"), "");
        Assert.Contains("not empty", Refusal(), StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(_path, "nacre.format")));
    }

    [Fact]
    public void A_kill_while_the_folder_was_made_does_not_spoil_it()
    {
        File.WriteAllText(Path.Combine(_path, "nacre.format.tmp"), "nac");
        File.WriteAllText(Path.Combine(_path, "nacre.lock"), "");
        using var folder = DataFolder.Open(_path);
        Directory.CreateDirectory(Path.Combine(_path, "filesystems", "demo"));
        Assert.Empty(folder.FileSystems());
    }

    [Fact]
    public void Targets_without_a_record_are_not_passed_over()
    {
        using var folder = DataFolder.Open(_path);
        Directory.CreateDirectory(folder.TargetFolder("demo", "ost", 0));
        Assert.Contains(
            "filesystem.json is missing",
            Assert.Throws<NodeConfigurationException>(() => folder.FileSystems()).Message,
            StringComparison.Ordinal);
    }

    private string Refusal() => Assert.Throws<NodeConfigurationException>(() => DataFolder.Open(_path)).Message;
}
