using Microsoft.Extensions.Logging.Abstractions;
using Nacre.EndToEnd.Harness;
using Nacre.LNet;
using Nacre.LNet.Transports;
using Nacre.Server.Node;

namespace Nacre.EndToEnd;

/// <summary>A data folder that was tampered with: the node refuses it in one line and leaves it alone.</summary>
public sealed class DamagedFolderTests : IDisposable
{
    private const string Metadata = "filesystems/nacre01/mdt0000/mdt.db";
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(Metadata, null, "missing or empty")]
    [InlineData(Metadata, "", "missing or empty")]
    [InlineData(Metadata, "not a database, but long enough to look at", "not a database")]
    [InlineData("mgs/nacre01-client", "", "configuration log")]
    [InlineData("mgs/nacre01-client", "garbage", "configuration log")]
    [InlineData("nacre.format", "", "damaged")]
    [InlineData("filesystems/nacre01/filesystem.json", "null", "damaged")]
    [InlineData("filesystems/nacre01/filesystem.json", """{"name":"nacre01","ostCount":-5,"capacityGib":10}""", "damaged")]
    [InlineData("filesystems/nacre01/filesystem.json", """{"name":"other","ostCount":2,"capacityGib":10}""", "damaged")]
    public async Task IsRefused(string file, string? content, string reason)
    {
        await (await StartAsync()).DisposeAsync();
        var path = Path.Combine(_folder.Path, file);
        if (content is null)
        {
            File.Delete(path);
        }
        else
        {
            await File.WriteAllTextAsync(path, content);
        }

        // Twice: a refusal must not make what it missed.
        for (var attempt = 0; attempt < 2; attempt++)
        {
            var refusal = await Assert.ThrowsAsync<NodeConfigurationException>(StartAsync);
            Assert.Contains(reason, refusal.Message, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', refusal.Message);
        }
    }

    [Fact]
    public async Task IsUsedByOneNode()
    {
        await using var node = await StartAsync();

        var refusal = await Assert.ThrowsAsync<NodeConfigurationException>(StartAsync);

        Assert.Contains("in use by another process", refusal.Message, StringComparison.Ordinal);
    }

    private Task<NacreNode> StartAsync()
    {
        var options = new NodeOptions
        {
            DataFolder = _folder.Path,
            Nid = Nid.Parse("10.0.0.1@tcp"),
            LNetPort = LNetOptions.DefaultPort,
            FileSystems = [new FileSystemSpec("nacre01", 2, 10)],
        };
        return NacreNode.StartAsync(
            options, new InMemoryTransport(TimeProvider.System), TimeProvider.System, NullLoggerFactory.Instance, CancellationToken.None)
            .WithinBoundsAsync();
    }
}
