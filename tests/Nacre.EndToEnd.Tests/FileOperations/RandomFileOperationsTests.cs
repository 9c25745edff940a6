using System.Globalization;
using Nacre.EndToEnd.Harness;
using Nacre.PtlRpc.Wire;
using Xunit.Abstractions;

namespace Nacre.EndToEnd.FileOperations;

/// <summary>
/// Random operations of a program on a file of a mount, compared with an array of bytes; on two mounts in turn, where each has to see what the other
/// did, and on two mounts at the same moment, each on bytes of its own in the same pages. <c>NACRE_FSX_SECONDS</c> says how long each runs, and without it
/// none does; <c>NACRE_FSX_SEED</c> repeats one, as far as the moment of each operation allows.
/// </summary>
[Collection(Alone.Name)]
public sealed class RandomFileOperationsTests(ITestOutputHelper output)
{
    internal const string SecondsVariable = "NACRE_FSX_SECONDS";
    private const string SeedVariable = "NACRE_FSX_SEED";
    private const int Seconds = 9;

    [RandomOperationsTheory]
    [InlineData("striped", "in-turn", 1)]
    [InlineData("striped", "in-turn", 2)]
    [InlineData("striped", "neighbours", 2)]
    [InlineData("progressive", "in-turn", 1)]
    [InlineData("progressive", "in-turn", 2)]
    [InlineData("progressive", "neighbours", 2)]
    public async Task A_file_is_what_was_done_to_it(string layout, string operations, int mounts)
    {
        int seed = Setting(SeedVariable, Random.Shared.Next());
        output.WriteLine($"{SeedVariable}={seed}");
        await using var server = await TestServer.StartAsync(new TestServerOptions { Tcp = true, Osts = 4 });
        await CreateAsync(server, LayoutOf(layout));
        await using var at = new MountedFolders();
        for (int i = 0; i < mounts; i++) await at.MountAsync(server);
        using var program = FileProgram.Start(operations, seed, Setting(SecondsVariable, Seconds), [.. at.Paths.Select(static path => Path.Combine(path, "f"))]);
        output.WriteLine(await program.RunAsync(at));
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
