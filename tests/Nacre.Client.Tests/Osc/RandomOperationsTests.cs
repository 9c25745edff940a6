using Nacre.Client.Osc;
using Nacre.Client.Vfs;
using Nacre.EndToEnd.Harness;
using Nacre.PtlRpc.Wire;
using Xunit.Abstractions;

namespace Nacre.Client.Tests.Osc;

/// <summary>Generated operations of two mounts on one file against an array of bytes: what either reads is what was written last by either.</summary>
public sealed class RandomOperationsTests(ITestOutputHelper output) : IAsyncLifetime
{
    private const int MaxSize = 5 << 20;
    private const int Operations = 250;
    private DataWorld _world = null!;

    public static TheoryData<string> Layouts => ["one stripe", "four stripes", "progressive"];

    public async Task InitializeAsync() => _world = await DataWorld.StartAsync();

    public async Task DisposeAsync() => await _world.DisposeAsync();

    [Theory]
    [MemberData(nameof(Layouts))]
    public async Task BothMountsReadWhatWasWrittenLast(string layout)
    {
        var seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        // A cache of a few blocks, so that eviction has its part.
        var options = new DataOptions { CacheBytes = 8 << 20, DirtyBytesPerTarget = 2 << 20 };
        var created = await _world.CreateAsync("f", LayoutOf(layout));
        TestFile[] files =
        [
            (await _world.MountAsync(options)).Use(_world, created),
            (await _world.MountAsync(options with { Checksums = false })).Use(_world, created),
        ];
        var model = new Model();
        for (var i = 0; i < Operations; i++)
        {
            await StepAsync(random, files[random.Next(2)], model);
        }

        foreach (var file in files)
        {
            Assert.Equal(model.Size, await file.SizeAsync());
            model.AssertSame(0, await file.ReadAsync(0, MaxSize + 1));
            Assert.True((await file.Data.SyncAsync(file.Open, default)).IsOk);
        }

        model.AssertSame(0, await _world.Names.ReadAsync(created, 0, MaxSize + 1));
    }

    [Theory]
    [MemberData(nameof(Layouts))]
    public async Task ReadersBesideAWriterSeeWholeSteps(string layout)
    {
        // Each block of 4 KiB is filled with one value; a reader may see any step of the writer, never a mixture inside a block.
        const int Blocks = 600;
        var created = await _world.CreateAsync("f", LayoutOf(layout));
        var writer = (await _world.MountAsync()).Use(_world, created);
        var reader = (await _world.MountAsync()).Use(_world, created);
        await writer.WriteAsync(0, new byte[Blocks * 4096]);
        var done = false;
        var reading = Task.Run(async () =>
        {
            var random = new Random(1);
            while (!Volatile.Read(ref done))
            {
                var block = random.Next(Blocks);
                var bytes = await reader.ReadAsync(block * 4096L, 4096);
                Assert.Equal(4096, bytes.Length);
                Assert.True(bytes.AsSpan().IndexOfAnyExcept(bytes[0]) < 0, $"block {block} is a mixture");
            }
        });
        var chooser = new Random(2);
        for (var i = 1; i < 400; i++)
        {
            var bytes = new byte[4096];
            bytes.AsSpan().Fill((byte)i);
            await writer.WriteAsync(chooser.Next(Blocks) * 4096L, bytes);
        }

        Volatile.Write(ref done, true);
        await reading.WithinBoundsAsync();
    }

    private static LovLayout LayoutOf(string name) => name switch
    {
        "one stripe" => DataWorld.Striped(1, 1 << 20),
        "four stripes" => DataWorld.Striped(4, 65536),
        _ => DataWorld.Progressive(1 << 20, 3),
    };

    private static async Task StepAsync(Random random, TestFile file, Model model)
    {
        var offset = random.Next(4) == 0 ? random.Next(MaxSize / 4096) * 4096L : random.Next(MaxSize);
        var length = (int)Math.Min(MaxSize - offset, 1 + random.Next(random.Next(3) switch { 0 => 100, 1 => 20_000, _ => 900_000 }));
        switch (random.Next(12))
        {
            case < 4:
                var data = new byte[length];
                random.NextBytes(data);
                Assert.Equal(offset + length, await file.WriteAsync(offset, data));
                model.Write(offset, data);
                break;
            case < 8:
                model.AssertSame(offset, await file.ReadAsync(offset, length));
                break;
            case 8:
                var size = random.Next(MaxSize);
                Assert.True((await file.Data.TruncateAsync(size, 1_000_000, 1_000_000, default).AsTask().WithinBoundsAsync()).IsOk);
                model.Truncate(size);
                break;
            case 9:
                Assert.True((await file.Data.AllocateAsync(3, offset, length, default).AsTask().WithinBoundsAsync()).IsOk);
                model.Punch(offset, length);
                break;
            case 10 when model.Size + length <= MaxSize:
                var more = new byte[length];
                random.NextBytes(more);
                var end = await file.WriteAsync(0, more, WriteOptions.Append);
                Assert.Equal(model.Size + length, end);
                model.Write(model.Size, more);
                break;
            case 10:
                Assert.Equal(model.Size, await file.SizeAsync());
                break;
            default:
                Assert.True((await file.Data.SyncAsync(file.Open, default).AsTask().WithinBoundsAsync()).IsOk);
                break;
        }
    }

    private sealed class Model
    {
        private readonly byte[] _bytes = new byte[MaxSize];

        public long Size { get; private set; }

        public void Write(long offset, byte[] data)
        {
            data.CopyTo(_bytes, offset);
            Size = Math.Max(Size, offset + data.Length);
        }

        public void Truncate(long size)
        {
            if (size < Size)
            {
                Array.Clear(_bytes, (int)size, (int)(Size - size));
            }

            Size = size;
        }

        public void Punch(long offset, int length) => Array.Clear(_bytes, (int)offset, length);

        public void AssertSame(long offset, byte[] read)
        {
            var expected = _bytes.AsSpan((int)Math.Min(offset, Size), (int)Math.Clamp(Size - offset, 0, read.Length));
            Assert.Equal(Math.Max(0, Math.Min(Size - offset, read.Length)), read.Length);
            var common = expected.CommonPrefixLength(read);
            Assert.True(common == read.Length, $"byte {offset + common} is {(common < read.Length ? read[common] : -1)}");
        }
    }
}
