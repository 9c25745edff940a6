using System.Runtime.InteropServices;
using Nacre.EndToEnd.Captures;
using Nacre.LNet.Wire;
using Nacre.PtlRpc.Wire;
using Nacre.Testing.Captures;

namespace Nacre.EndToEnd.Fuzz;

/// <summary>A request some client has sent.</summary>
public sealed record FuzzSeed(uint Portal, uint Opcode, byte[] Payload);

/// <summary>
/// The requests mutations start from: half of them captured from genuine clients, half recorded from a client of the attacked node, whose files exist
/// there. Rare kinds come as often as frequent ones. Safe for any thread.
/// </summary>
public sealed class FuzzCorpus
{
    private const int MostOfOneKind = 64;

    private readonly FuzzSeed[][] _captured = ByKind(CaptureReader.Names.SelectMany(CaptureReader.Frames));
    private volatile FuzzSeed[][] _recorded = [];

    /// <summary>Takes the place of what was recorded before: files that were recorded long ago may have been removed by the attack.</summary>
    public void SetRecorded(IEnumerable<Frame> frames) => _recorded = ByKind(frames);

    public FuzzSeed Pick(Random random)
    {
        var recorded = _recorded;
        var kinds = recorded.Length > 0 && random.Next(2) == 0 ? recorded : _captured;
        var kind = kinds[random.Next(kinds.Length)];
        return kind[random.Next(kind.Length)];
    }

    private static FuzzSeed[][] ByKind(IEnumerable<Frame> frames)
    {
        var kinds = new MessageKinds();
        var seeds = new Dictionary<string, List<FuzzSeed>>();
        foreach (var frame in frames)
        {
            var kind = kinds.Of(frame);
            if (kind.EndsWith(" request") && Parse(frame) is { } seed)
            {
                CollectionsMarshal.GetValueRefOrAddDefault(seeds, kind, out _) ??= [];
                seeds[kind].Add(seed);
            }
        }

        return [.. seeds.Values.Select(all => all.Take(MostOfOneKind).ToArray())];
    }

    private static FuzzSeed? Parse(Frame frame)
    {
        var bytes = frame.Bytes.Span;
        var put = MemoryMarshal.Read<LnetMessage>(bytes).Lnet.Put;
        var payload = bytes[LnetMessage.Size..].ToArray();
        if (LustreMessage.TryParse(payload, out var message) != MessageError.None)
        {
            return null;
        }

        message.ReadBody(out var body);
        // A callback is a request too, but of a server.
        return put.Portal == Portal.LdlmCallbackRequest ? null : new FuzzSeed(put.Portal, body.Opcode, payload);
    }
}
