using Nacre.Client.Vfs;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.Client;

/// <summary>What a server's target says of itself.</summary>
/// <param name="Uuid">Such as <c>demo-OST0000_UUID</c>.</param>
/// <param name="Index">Among the MDTs or the OSTs.</param>
/// <param name="IsActive">It answers, or is expected to at the next request.</param>
/// <param name="Status">Its space and files; null when it did not answer.</param>
public sealed record TargetStatus(string Uuid, bool IsMdt, int Index, bool IsActive, FileSystemStatus? Status);

/// <summary>The targets one by one, as <c>lfs df</c> shows them.</summary>
public sealed partial class LustreMount
{
    /// <summary>Time one target has to answer; one that is away shows as such instead of holding up the others.</summary>
    private static readonly TimeSpan TargetPatience = TimeSpan.FromSeconds(10);

    /// <summary>The MDT, then the OSTs in order. All are asked at the same time.</summary>
    public async Task<IReadOnlyList<TargetStatus>> GetTargetsAsync(CancellationToken ct = default)
    {
        List<Task<TargetStatus>> asked = [AskAsync(Mdc.Import, Opcode.MdsStatfs, isMdt: true, 0, ct)];
        asked.AddRange(_osts.Indices.Select(index => AskAsync(_osts.ImportOf(index)!, Opcode.OstStatfs, isMdt: false, index, ct)));
        return await Task.WhenAll(asked).ConfigureAwait(false);
    }

    private async Task<TargetStatus> AskAsync(Import import, uint opcode, bool isMdt, int index, CancellationToken ct)
    {
        var answer = await AskAsync(import, opcode, ct).ConfigureAwait(false);
        return new TargetStatus(import.Options.TargetUuid, isMdt, index, answer is not null, answer);
    }

    /// <summary>Null when it is not connected or does not answer in time.</summary>
    private async Task<FileSystemStatus?> AskAsync(Import import, uint opcode, CancellationToken ct)
    {
        if (import.State is not (ImportState.Full or ImportState.Idle))
        {
            return null;
        }

        using var limit = new CancellationTokenSource(TargetPatience, Options.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, ct);
        try
        {
            using var reply = await import.SendAsync(new RpcCall(opcode), either.Token).ConfigureAwait(false);
            return reply.Status == 0 && reply.BufferLength(1) >= ObdStatfs.Size ? StatusCache.Combine(reply.Get<ObdStatfs>(1), null) : null;
        }
        catch (Exception failure) when (failure is ErrnoException || (failure is OperationCanceledException && !ct.IsCancellationRequested))
        {
            return null;
        }
    }
}
