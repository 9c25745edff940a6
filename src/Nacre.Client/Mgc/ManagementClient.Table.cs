using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Extensions.Logging;
using Nacre.LNet;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.Client.Mgc;

/// <summary>
/// The table of targets that have started (imperative recovery, 04 section 9): a target that comes up elsewhere, or anew, is found at once instead of at
/// the next timeout. Every client has to hold the lock, or no server may rely on it.
/// </summary>
internal sealed partial class ManagementClient
{
    private const int UnitShift = 12;
    private const int FirstUnits = 256;

    private ulong _tableVersion;

    /// <summary>Told of each entry: kind, index, start counter of the target, where it is.</summary>
    public Action<RestartedTarget>? OnRestarted { get; set; }

    /// <summary>Failures never fail a mount (04 section 10.2); what is missed shows as a timeout later.</summary>
    private async ValueTask FollowTableAsync(CancellationToken ct)
    {
        if (!Import.ConnectData.Has(ConnectFlags.ImpRecov))
        {
            return;
        }

        try
        {
            await LockAsync(FollowedLog.Table, ct).ConfigureAwait(false);
            while (await ReadTableAsync(ct).ConfigureAwait(false))
            {
            }
        }
        catch (ErrnoException failure)
        {
            LogTableFailed(_log, _options.FileSystem, failure.Message);
        }
    }

    /// <summary>True when there is more.</summary>
    private async ValueTask<bool> ReadTableAsync(CancellationToken ct)
    {
        var memory = new byte[FirstUnits << UnitShift];
        var call = new RpcCall(Opcode.MgsConfigRead, MgsConfigBody.Size);
        FillTableRequest(ref call.Get<MgsConfigBody>(1));
        call.SetBulk(BulkDirection.Read, Portal.MgsBulk, new Memory<byte>[] { memory }, 1);
        using var reply = await SendAsync(call, ct).ConfigureAwait(false);
        var result = reply.Get<MgsConfigRes>(1);
        if (result.Offset > result.TableVersion || (reply.BulkBytes == 0 && result.Offset < result.TableVersion))
        {
            throw new RpcException(Errno.EPROTO, message: "the table of targets is inconsistent");
        }

        TakeEntries(memory.AsSpan(0, reply.BulkBytes));
        _tableVersion = Math.Max(_tableVersion, result.Offset);
        return result.Offset < result.TableVersion;
    }

    private void FillTableRequest(ref MgsConfigBody body)
    {
        Encoding.ASCII.GetBytes($"{_options.FileSystem}-cliir", body.Name);
        body.Offset = _tableVersion + 1;
        body.Type = MgsConfigBody.TypeRecover;
        body.Bits = UnitShift;
        body.Units = FirstUnits;
    }

    private void TakeEntries(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length >= MgsNidtblEntry.Size)
        {
            var entry = MemoryMarshal.Read<MgsNidtblEntry>(bytes);
            var end = MgsNidtblEntry.Size + (entry.NidCount * sizeof(ulong));
            if (entry.NidSize != sizeof(ulong) || entry.NidCount == 0 || entry.Length < end || entry.Length > bytes.Length)
            {
                throw new RpcException(Errno.EPROTO, message: "the table of targets is malformed");
            }

            var nids = MemoryMarshal.Cast<byte, ulong>(bytes[MgsNidtblEntry.Size..end]);
            var nodes = new List<Nid>(nids.Length);
            foreach (var nid in nids)
            {
                nodes.Add(new Nid(nid));
            }

            OnRestarted?.Invoke(new RestartedTarget(
                entry.Type == MgsNidtblEntry.TypeMdt, (int)entry.Index, entry.Instance, nodes.FindAll(static nid => nid.IsTcp)));
            bytes = bytes[(int)entry.Length..];
        }
    }

    [LoggerMessage(4021, LogLevel.Warning, "reading the table of restarted targets of {FileSystem} failed: {Why}")]
    private static partial void LogTableFailed(ILogger log, string fileSystem, string why);
}

/// <summary>An entry of the table of targets.</summary>
/// <param name="Instance">Start counter, to compare with the one of the connection.</param>
internal sealed record RestartedTarget(bool IsMdt, int Index, uint Instance, IReadOnlyList<Nid> Nodes);
