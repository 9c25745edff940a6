using System.Collections.Concurrent;
using Nacre.PtlRpc.Wire;

namespace Nacre.EndToEnd.Fuzz;

/// <summary>Counts what went over the wire, so that a run that attacks nothing does not pass for one that does no harm.</summary>
public sealed class FuzzStatistics
{
    private const int MostShown = 50;

    private readonly ConcurrentDictionary<(uint Opcode, int Status), long> _answers = new();
    private long _sent;
    private long _replies;
    private long _bulk;
    private long _callbacks;
    private long _timeouts;
    private long _closed;

    public long Sent => Interlocked.Read(ref _sent);

    public long Replies => Interlocked.Read(ref _replies);

    internal void CountSent() => Interlocked.Increment(ref _sent);

    /// <summary>How often each operation succeeded.</summary>
    public string Successes => Show(_answers.Where(answer => answer.Key.Status >= 0).GroupBy(answer => Opcode.Name(answer.Key.Opcode)));

    /// <summary>What was answered with which error most.</summary>
    public string Refusals =>
        Show(_answers.Where(answer => answer.Key.Status < 0).GroupBy(answer => $"{Opcode.Name(answer.Key.Opcode)} {Errno.Name(answer.Key.Status)}"));

    /// <summary>Returns the status.</summary>
    internal int CountReply(ReadOnlySpan<byte> reply)
    {
        Interlocked.Increment(ref _replies);
        if (LustreMessage.TryParse(reply, out var message) != MessageError.None)
        {
            return 0;
        }

        message.ReadBody(out var body);
        _answers.AddOrUpdate((body.Opcode, Math.Min(body.Status, 0)), 1, static (_, count) => count + 1);
        return body.Status;
    }

    internal void CountBulk() => Interlocked.Increment(ref _bulk);

    internal void CountCallback() => Interlocked.Increment(ref _callbacks);

    /// <summary>A connection whose requests the server drops.</summary>
    internal void CountTimeout() => Interlocked.Increment(ref _timeouts);

    internal void CountClosed() => Interlocked.Increment(ref _closed);

    public override string ToString() =>
        $"{Sent:n0} sent, {Replies:n0} replies, {Interlocked.Read(ref _bulk):n0} bulk transfers, {Interlocked.Read(ref _callbacks):n0} callbacks, "
        + $"{Interlocked.Read(ref _closed):n0} connections closed by the server, {Interlocked.Read(ref _timeouts):n0} given up";

    private static string Show(IEnumerable<IGrouping<string, KeyValuePair<(uint Opcode, int Status), long>>> groups) => string.Join(
        ", ", groups.Select(group => (group.Key, Count: group.Sum(answer => answer.Value))).OrderByDescending(group => group.Count).Take(MostShown)
            .Select(group => $"{group.Key} {group.Count:n0}"));
}
