namespace Nacre.EndToEnd.Harness;

/// <summary>A folder that goes away with the test.</summary>
public sealed class TestFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("nacre-e2e-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
