using System.Globalization;
using Nacre.EndToEnd.Harness;
using Nacre.PtlRpc.Wire;
using Xunit.Abstractions;

namespace Nacre.EndToEnd.FileOperations;

/// <summary>
/// Random operations of a program on a file of a mount, compared with an array of bytes; on two mounts in turn, where each has to see what the other
/// did. <c>NACRE_FSX_SECONDS</c> makes each run longer, <c>NACRE_FSX_SEED</c> repeats one, <c>NACRE_FSX_MAPPED=1</c> has two mounts map the file, too.
/// </summary>
[Collection(Alone.Name)]
public sealed class RandomFileOperationsTests(ITestOutputHelper output)
{
    private const string SecondsVariable = "NACRE_FSX_SECONDS", SeedVariable = "NACRE_FSX_SEED", MappedVariable = "NACRE_FSX_MAPPED";
    private const int Seconds = 14;

    /// <summary>An operation may wait for locks and write-back, this long at most.</summary>
    private static readonly TimeSpan Slack = TimeSpan.FromSeconds(60);

    [FuseTheory]
    [InlineData("striped", 1)]
    [InlineData("striped", 2)]
    [InlineData("progressive", 1)]
    [InlineData("progressive", 2)]
    public async Task A_file_is_what_was_done_to_it(string layout, int mounts)
    {
        int seed = Setting(SeedVariable, Random.Shared.Next());
        var time = TimeSpan.FromSeconds(Setting(SecondsVariable, Seconds));
        output.WriteLine($"{SeedVariable}={seed}");
        await using var server = await TestServer.StartAsync(new TestServerOptions { Tcp = true, Osts = 4 });
        await CreateAsync(server, LayoutOf(layout));
        await using var at = new MountedFolders();
        for (int i = 0; i < mounts; i++) await at.MountAsync(server);
        bool mapped = mounts == 1 || Setting(MappedVariable, 0) != 0;
        using var run = new FileOperationRun(seed, [.. at.Paths.Select(static path => Path.Combine(path, "f"))], mapped);
        await RunAsync(run, time, at);
        output.WriteLine(run.Progress);
    }

    /// <summary>On a thread of its own, as it waits for the kernel.</summary>
    private static async Task RunAsync(FileOperationRun run, TimeSpan time, MountedFolders at)
    {
        var running = Task.Factory.StartNew(
            () => run.Run(time), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        await Task.WhenAny(running, Task.Delay(time + Slack));
        if (!running.IsCompleted)
        {
            string where = run.Progress;
            // Else nothing would ever end what waits there.
            await at.CutOffAsync();
            await Task.WhenAny(running, Task.Delay(Slack));
            throw new TimeoutException($"an operation hangs: {where}");
        }

        await running;
    }

    private static async Task CreateAsync(TestServer server, LovLayout layout)
    {
        var client = await server.MountAsync();
        var file = await client.CreateAsync(client.Root, "f", layout);
        await client.CloseAsync(file);
    }

    private static LovLayout LayoutOf(string name) => name == "striped" ? Layouts.Striped(4, 65536) : Layouts.Progressive(1 << 20, 3);

    private static int Setting(string variable, int otherwise) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } value ? int.Parse(value, CultureInfo.InvariantCulture) : otherwise;
}
