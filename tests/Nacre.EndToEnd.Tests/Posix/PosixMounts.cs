using System.Diagnostics;
using System.Globalization;
using Nacre.EndToEnd.Harness;

namespace Nacre.EndToEnd.Posix;

/// <summary>
/// A node and two mounts of its file system, each a process of its own: a page fault or a system call of the test must never wait for a thread of
/// the test's own process.
/// </summary>
public sealed class PosixMounts : IAsyncLifetime
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly TestFolder _folder = new();
    private ChildNode? _node;
    private int _areas;

    public string One => Path.Combine(_folder.Path, "one");

    public string Two => Path.Combine(_folder.Path, "two");

    public async Task InitializeAsync()
    {
        if (PosixFactAttribute.Reason is not null) return;
        Sys.Check(Sys.Chmod(_folder.Path, Sys.Octal(755)));
        int port = TestServer.FreePort();
        _node = await ChildNode.StartAsync(Directory.CreateDirectory(Path.Combine(_folder.Path, "data")).FullName, port, "posix,osts=2");
        foreach (string folder in (string[])[One, Two])
        {
            Directory.CreateDirectory(folder);
            await NacreAsync("mount", "127.0.0.1@tcp:/posix", folder, "-o", $"flock,port={port.ToString(CultureInfo.InvariantCulture)}");
        }
    }

    public async Task DisposeAsync()
    {
        if (_node is not null)
        {
            await NacreAsync("umount", One);
            await NacreAsync("umount", Two);
            await _node.DisposeAsync();
        }

        _folder.Dispose();
    }

    /// <summary>Name of a new directory in the file system's root that everybody may write to.</summary>
    internal string NewArea()
    {
        string name = $"area{Interlocked.Increment(ref _areas)}";
        Sys.Check(Sys.Mkdir(Path.Combine(One, name)));
        Sys.Check(Sys.Chmod(Path.Combine(One, name), Sys.Octal(777)));
        return name;
    }

    private static async Task NacreAsync(params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "nacre"), arguments))!;
        await process.WaitForExitAsync().WaitAsync(Limit);
        Assert.Equal(0, process.ExitCode);
    }
}

/// <summary>All share the mounts, and so run one after the other.</summary>
[CollectionDefinition(Name)]
public sealed class PosixGroup : ICollectionFixture<PosixMounts>
{
    public const string Name = "posix";
}

/// <summary>Tests in a directory of their own, seen through two mounts.</summary>
[Collection(PosixGroup.Name)]
public abstract class PosixTests
{
    private readonly string _one = "", _two = "";

    protected PosixTests(PosixMounts mounts)
    {
        if (PosixFactAttribute.Reason is not null) return;
        string area = mounts.NewArea();
        (_one, _two) = (Path.Combine(mounts.One, area), Path.Combine(mounts.Two, area));
    }

    /// <summary>Path on the first mount.</summary>
    protected string One(string name = "") => Path.Combine(_one, name);

    /// <summary>The same on the second.</summary>
    protected string Two(string name = "") => Path.Combine(_two, name);

    /// <summary>Makes a file on the first mount.</summary>
    protected string NewFile(string name, int mode = 644, string content = "", uint uid = 0, uint gid = 0)
    {
        string path = One(name);
        using (var file = Sys.Open(path, Sys.WriteOnly | Sys.Create | Sys.Exclusive)) file.Write(content, 0);
        // In this order: giving it away would take set-id bits.
        Sys.Check(Sys.Chown(path, uid, gid));
        Sys.Check(Sys.Chmod(path, Sys.Octal(mode)));
        return path;
    }

    protected string NewDirectory(string name, int mode = 755, uint uid = 0, uint gid = 0)
    {
        string path = One(name);
        Sys.Check(Sys.Mkdir(path));
        Sys.Check(Sys.Chown(path, uid, gid));
        Sys.Check(Sys.Chmod(path, Sys.Octal(mode)));
        return path;
    }
}
