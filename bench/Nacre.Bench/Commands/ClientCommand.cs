using System.CommandLine;
using System.Diagnostics;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Nacre.Bench.Loads;
using Nacre.Bench.Measurement;
using Nacre.Client.Lov;
using Nacre.Client.Osc;
using Nacre.Client.Vfs;
using Nacre.LNet;
using Nacre.LNet.Transports;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.Bench.Commands;

/// <summary>
/// <c>client</c>: the product's own data path, from its cache to the server, without a mount: sequential reads of data the server has in its
/// page cache, sequential writes, random 4 KiB, warm and not. One object, one caller.
/// </summary>
internal static class ClientCommand
{
    private const int MiB = 1 << 20;

    private static readonly Argument<string[]> Names = new("loads")
    {
        Description = "The loads, by the beginning of their name; all without it.",
        Arity = ArgumentArity.ZeroOrMore,
    };

    private static readonly Option<int> Size = new("--mib") { Description = "Size of the file.", DefaultValueFactory = _ => 1024 };
    private static readonly Option<int> Rounds = new("--rounds") { Description = "How often each; the median is shown.", DefaultValueFactory = _ => 5 };
    private static readonly Option<bool> NoChecksums = new("--no-checksums") { Description = "Do not offer checksums over bulk data." };

    public static Command Make()
    {
        var command = new Command("client", "Measures the client's data path against a server.") { Names, Size, Rounds, NoChecksums };
        ServerOptions.AddTo(command);
        command.SetAction((options, ct) => RunAsync(options, ct));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult options, CancellationToken ct)
    {
        try
        {
            using var server = ServerOptions.Open(options);
            using var session = new ClientSession(server.Address, 0, 1);
            var data = new DataOptions { Checksums = !options.GetValue(NoChecksums), CacheBytes = 128L << 20 };
            await using var bench = await BenchFileData.StartAsync(server.Address, session.Objects(1)[0].Fid, data, ct);
            await MeasureAsync(bench, server.ProcessId, options.GetValue(Names) ?? [], options.GetValue(Size), options.GetValue(Rounds), ct);
            return 0;
        }
        catch (Exception e) when (e is IOException or InvalidDataException or SocketException or TimeoutException or ArgumentException or ErrnoException)
        {
            Console.Error.WriteLine($"nacre-bench: {e.Message}");
            return 1;
        }
    }

    private static async Task MeasureAsync(
        BenchFileData bench, int? server, string[] names, int mib, int rounds, CancellationToken ct)
    {
        Console.Out.WriteLine("| load | MiB/s | op/s | client us/op | server us/op | allocated bytes/op |");
        Console.Out.WriteLine("|---|---:|---:|---:|---:|---:|");
        // Whatever is measured reads what this wrote.
        await bench.WriteAllAsync(mib, ct);
        foreach (var load in Loads(bench, mib, ct).Where(load => names.Length == 0 || names.Any(load.Name.StartsWith)))
        {
            await ReportAsync(load, server, rounds);
        }
    }

    private static IEnumerable<ClientLoad> Loads(BenchFileData bench, int mib, CancellationToken ct) =>
    [
        new("write 1 MiB, sequential", mib, MiB, () => bench.WriteAllAsync(mib, ct)),
        new("read 1 MiB, sequential", mib, MiB, () => bench.ReadAllAsync(mib, MiB, ct)),
        new("read 128 KiB, sequential", mib * 8, MiB / 8, () => bench.ReadAllAsync(mib, MiB / 8, ct)),
        new("read 4 KiB, random, over 16 MiB (cached)", 200_000, 4096, () => bench.ReadRandomAsync(200_000, 16 * MiB, ct)),
        new("read 4 KiB, random, over the file", 5000, 4096, () => bench.ReadRandomAsync(5000, (long)mib * MiB, ct)),
        new("write 4 KiB, random, over 16 MiB", 50_000, 4096, () => bench.WriteRandomAsync(50_000, 16 * MiB, ct)),
        new("attributes, known", 200_000, 0, () => bench.AttributesAsync(200_000, ct)),
    ];

    private static async Task ReportAsync(ClientLoad load, int? server, int rounds)
    {
        // Once without being counted: the code is compiled in tiers.
        await load.Run();
        var results = new List<(double Seconds, double Processor, double Server, double Allocated)>();
        for (var i = 0; i < rounds; i++)
        {
            var (processor, allocated, started) = (Environment.CpuUsage.TotalTime, GC.GetTotalAllocatedBytes(), Stopwatch.GetTimestamp());
            var before = ProcessorTime.Of(server);
            await load.Run();
            results.Add((
                Stopwatch.GetElapsedTime(started).TotalSeconds,
                (Environment.CpuUsage.TotalTime - processor).TotalMicroseconds / load.Operations,
                (ProcessorTime.Of(server) - before) * 1e6 / load.Operations,
                (double)(GC.GetTotalAllocatedBytes() - allocated) / load.Operations));
        }

        var (seconds, each, atServer, memory) = results.OrderBy(result => result.Seconds).ElementAt(rounds / 2);
        var rate = load.Operations / seconds;
        Console.Out.WriteLine($"| {load.Name} | {rate * load.Bytes / MiB:0} | {rate:0} | {each:0.0} | {atServer:0.0} | {memory:0} |");
    }
}

/// <summary>So many operations of so many bytes each.</summary>
internal sealed record ClientLoad(string Name, int Operations, int Bytes, Func<Task> Run);

/// <summary>One file of one object, through the client's data path.</summary>
internal sealed class BenchFileData : IFileOwner, IAsyncDisposable
{
    private readonly LNetNode _lnet;
    private readonly RpcClient _rpc;
    private readonly DataClient _data;
    private readonly FileLayout _layout;
    private readonly byte[] _bytes = new byte[1 << 20];
    private FileData _file;
    private OpenData _open;

    private BenchFileData(ServerAddress server, LuFid fid, DataOptions options)
    {
        Fid = fid;
        _lnet = new LNetNode(
            new LNetOptions { LocalNid = Nid.Parse("127.9.9.9@tcp") }, new TcpTransport(), TimeProvider.System, NullLogger<LNetNode>.Instance);
        _rpc = new RpcClient(
            _lnet, new RpcClientOptions { Dial = (peer, ct) => _lnet.ConnectAsync(peer, server.At, ct) }, TimeProvider.System, NullLogger<RpcClient>.Instance);
        _data = new DataClient(options, NullLoggerFactory.Instance);
        var component = new LovComponent { StripeCount = 1, StripeSize = 1 << 20, Objects = [new LovOstData { Object = fid }] };
        _layout = FileLayout.TryBuild(LovLayout.Plain(component))!;
        new Random(1).NextBytes(_bytes);
        (_file, _open) = Reopen();
    }

    public LuFid Fid { get; }

    public Node Node => throw new NotSupportedException();

    public IKernelCache? KernelCache => null;

    public (uint Uid, uint Gid, uint ProjectId) Owner => (0, 0, 0);

    public static async Task<BenchFileData> StartAsync(ServerAddress server, LuFid fid, DataOptions options, CancellationToken ct)
    {
        var bench = new BenchFileData(server, fid, options);
        var callbacks = new Callbacks();
        var import = bench._rpc.CreateImport(new ImportOptions
        {
            TargetUuid = $"{server.FileSystem}-OST0000_UUID",
            Kind = PtlRpc.TargetKind.Ost,
            Peer = new PeerId(server.Nid, PeerId.LustrePid),
            ClientUuid = Guid.NewGuid().ToString(),
            Wanted = bench._data.Wanted,
            Callbacks = callbacks,
        });
        callbacks.Target = bench._data.AddTarget(0, import);
        await import.ConnectAsync(ct);
        return bench;
    }

    public ValueTask<Outcome<FileLayout?>> RefreshLayoutAsync(bool forWrite, long offset, long length, CancellationToken ct)
    {
        _file.SetLayout(_layout);
        return ValueTask.FromResult<Outcome<FileLayout?>>(_layout);
    }

    /// <summary>Writes all of it and waits until the server has it.</summary>
    public async Task WriteAllAsync(int mib, CancellationToken ct)
    {
        for (var at = 0; at < mib; at++)
        {
            _ = (await _file.WriteAsync(_open, (long)at << 20, _bytes, WriteOptions.None, ct)).Value;
        }

        await _file.FlushAsync(ct);
    }

    /// <summary>Reads all of it, with nothing of it cached here at the beginning.</summary>
    public async Task ReadAllAsync(int mib, int each, CancellationToken ct)
    {
        await DropAsync();
        for (long at = 0; at < (long)mib << 20; at += each)
        {
            using var read = (await _file.ReadAsync(_open, at, each, direct: false, ct)).Value;
            if (read.Length != each)
            {
                throw new InvalidDataException($"{read.Length} bytes at {at} instead of {each}");
            }
        }
    }

    public async Task ReadRandomAsync(int count, long within, CancellationToken ct)
    {
        var random = new Random(2);
        for (var i = 0; i < count; i++)
        {
            using var read = (await _file.ReadAsync(_open, random.NextInt64(within / 4096) * 4096, 4096, direct: false, ct)).Value;
        }
    }

    public async Task WriteRandomAsync(int count, long within, CancellationToken ct)
    {
        var random = new Random(3);
        for (var i = 0; i < count; i++)
        {
            _ = (await _file.WriteAsync(_open, random.NextInt64(within / 4096) * 4096, _bytes.AsMemory(0, 4096), WriteOptions.None, ct)).Value;
        }

        await _file.FlushAsync(ct);
    }

    public async Task AttributesAsync(int count, CancellationToken ct)
    {
        for (var i = 0; i < count; i++)
        {
            _ = (await _file.GetAttributesAsync(ct)).Value;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _file.CloseAsync();
        await _rpc.DisposeAsync();
        await _data.DisposeAsync();
        await _lnet.DisposeAsync();
    }

    private (FileData File, OpenData Open) Reopen()
    {
        var file = new FileData(_data, this);
        return (file, file.Open(mayBeMappedWritable: false, out _));
    }

    private async Task DropAsync()
    {
        await _file.CloseAsync();
        (_file, _open) = Reopen();
    }

    private sealed class Callbacks : ICallbackHandler
    {
        public ObjectTarget? Target { get; set; }

        public ValueTask HandleAsync(CallbackRequest request) => Target!.Locks.HandleAsync(request);
    }
}
