using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Nacre.Ldlm.Wire;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.EndToEnd.Client;

/// <summary>The MGS phase: configuration locks, logs, and what their records make (04 sections 4 to 9).</summary>
public sealed partial class ScriptedClient
{
    private const uint OfferedUnits = 256;
    private const int UnitShift = 12;

    private uint _lastRecord;
    private bool _inBlock;
    private bool _skipping;

    /// <summary>Parameters the log has set: <c>device key=value</c>.</summary>
    public List<string> Parameters { get; } = [];

    /// <summary>The order of locks and logs is that of a mount (04 section 10.2).</summary>
    private async Task FollowConfigurationAsync()
    {
        await LockLogAsync(Options.FileSystem, 0);
        await ReadOptionalLogAsync($"{Options.FileSystem}-sptlrpc");
        await LockLogAsync(Options.FileSystem, 0, onLost: FollowAgain);
        await ReadLogAsync($"{Options.FileSystem}-client");
        if (_mgs.ConnectData.Has(ConnectFlags.ImpRecov))
        {
            await LockLogAsync(Options.FileSystem, 2);
            await ReadTargetTableAsync();
        }

        await LockLogAsync("params", 3);
        await ReadOptionalLogAsync("params");
    }

    /// <summary>After a revocation: lock again, read what was appended, connect to what is new.</summary>
    private void FollowAgain() => _ = Task.Run(async () =>
    {
        try
        {
            await Task.Delay(Options.RequeueDelay, Options.Time, _stopped.Token);
            var known = Osts;
            await LockLogAsync(Options.FileSystem, 0, onLost: FollowAgain);
            await ReadLogAsync($"{Options.FileSystem}-client");
            foreach (var index in Osts.Except(known))
            {
                await _osts[index].Import.ConnectAsync(_stopped.Token);
            }
        }
        catch (OperationCanceledException)
        {
        }
        catch (RpcException)
        {
            // A mounted client goes on until the next revocation (04 section 8.4).
        }
    });

    private async Task LockLogAsync(string name, ulong type, Action? onLost = null)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        bytes.Clear();
        Encoding.ASCII.GetBytes(name, bytes);
        var resource = new LdlmResId(MemoryMarshal.Read<ulong>(bytes), type);
        var held = NewLock(_mgs, resource, LockType.Plain, LockMode.CR, default);
        held.OnLost = onLost;
        await EnqueueAsync(held, LdlmFlags.None, lvbBytes: 0, lockCount: 0);
        Release(held);
    }

    private async Task ReadOptionalLogAsync(string name)
    {
        try
        {
            var log = await OpenLogAsync(name);
            using var header = await ReadHeaderAsync(log);
        }
        catch (RpcException missing) when (missing.Errno == Errno.ENOENT)
        {
        }
    }

    private async Task ReadLogAsync(string name)
    {
        var log = await OpenLogAsync(name);
        uint last;
        using (var reply = await ReadHeaderAsync(log))
        {
            last = CheckHeader(reply.Buffer(1));
        }

        ulong offset = LlogFormat.ChunkSize;
        for (var saved = _lastRecord; _lastRecord < last;)
        {
            var body = new LlogdBody
            {
                Logid = log,
                LogFlags = LlogFlags.Plain,
                Index = _lastRecord + 1,
                SavedIndex = saved,
                Len = LlogFormat.ChunkSize,
                CurrentOffset = offset,
            };
            var call = new RpcCall(Opcode.LlogOriginHandleNextBlock, LlogdBody.Size) { ReplyBytes = LlogFormat.ChunkSize + 1024 };
            call.Get<LlogdBody>(1) = body;
            using var reply = await SendAsync(_mgs, call);
            (saved, offset) = (reply.Get<LlogdBody>(1).SavedIndex, reply.Get<LlogdBody>(1).CurrentOffset);
            Apply(reply.Buffer(2), (int)((offset - 1) % LlogFormat.ChunkSize) + 1);
        }
    }

    private async Task<LlogLogid> OpenLogAsync(string name)
    {
        var call = new RpcCall(Opcode.LlogOriginHandleCreate, LlogdBody.Size, name.Length + 1, MdtBody.Size);
        Encoding.ASCII.GetBytes(name, call.Buffer(2));
        call.Get<MdtBody>(3).Capability = uint.MaxValue;
        call.Get<MdtBody>(3).Suppgid = uint.MaxValue;
        using var reply = await SendAsync(_mgs, call);
        return reply.Get<LlogdBody>(1).Logid;
    }

    private Task<RpcReply> ReadHeaderAsync(LlogLogid log)
    {
        var call = new RpcCall(Opcode.LlogOriginHandleReadHeader, LlogdBody.Size) { ReplyBytes = LlogFormat.ChunkSize + 1024 };
        call.Get<LlogdBody>(1) = new LlogdBody { Logid = log, LogFlags = LlogFlags.Plain };
        return SendAsync(_mgs, call);
    }

    /// <summary>The checks of 04 section 4.3; returns the index of the last record.</summary>
    private static uint CheckHeader(ReadOnlySpan<byte> bytes)
    {
        var header = MemoryMarshal.Read<LlogLogHdr>(bytes);
        var tail = MemoryMarshal.Read<LlogRecTail>(bytes[^LlogRecTail.Size..]);
        return bytes.Length == LlogFormat.ChunkSize && header.Rec.Type == LlogRecordType.LogHeader && header.Rec.Len == LlogFormat.ChunkSize
            && tail.Len == LlogFormat.ChunkSize && header.Flags == LlogFlags.Plain
            ? tail.Index
            : throw new RpcException(Errno.EINVAL, message: "the log's header is bad");
    }

    private void Apply(ReadOnlySpan<byte> chunk, int valid)
    {
        chunk = chunk[..Math.Min(valid, chunk.Length)];
        while (chunk.Length >= LlogRecHdr.Size)
        {
            var record = MemoryMarshal.Read<LlogRecHdr>(chunk);
            if (record.Len < LlogRecHdr.Size + LlogRecTail.Size || record.Len > chunk.Length)
            {
                throw new RpcException(Errno.EINVAL, message: $"record {record.Index} of {record.Len} bytes");
            }

            if (record.Index > _lastRecord)
            {
                _lastRecord = record.Index;
                if (record.Type == LlogRecordType.Configuration)
                {
                    Apply(new ConfigurationCommand(chunk[LlogRecHdr.Size..((int)record.Len - LlogRecTail.Size)]));
                }
            }

            chunk = chunk[(int)record.Len..];
        }
    }

    private void Apply(ConfigurationCommand command)
    {
        if (command.Code == LcfgCommand.Marker)
        {
            var flags = MemoryMarshal.Read<CfgMarker>(command.Bytes(1)).Flags;
            _inBlock = (flags & CfgMarkerFlags.Start) != 0;
            _skipping = (flags & CfgMarkerFlags.Skip) != 0;
            return;
        }

        if (!_inBlock)
        {
            throw new RpcException(Errno.EINVAL, message: $"{command.Code} outside of a block");
        }

        if (_skipping)
        {
            return;
        }

        switch (command.Code)
        {
            case LcfgCommand.AddMdc:
                _mdt ??= NewImport(command.Text(1), TargetKind.Mdt, MdtWanted);
                break;
            case LcfgCommand.LovAddObd:
                var index = int.Parse(command.Text(2), CultureInfo.InvariantCulture);
                _osts.TryAdd(index, new ObjectServer(index, NewImport(command.Text(1), TargetKind.Ost, OstWanted)));
                break;
            case LcfgCommand.Param:
                Parameters.Add($"{command.Text(0)} {command.Text(1)}");
                break;
        }
    }

    /// <summary>What the captured client asked for, including what no server grants (02 section 10.5).</summary>
    private static ObdConnectData MdtWanted => ImportOptions.MdtWanted with { Flags = (ConnectFlags)0xAE7E5E7BE374D3B8 };

    private static ObdConnectData OstWanted => ImportOptions.OstWanted with { Flags = (ConnectFlags)0xA0465AF2E3640078 };

    /// <summary>MGS_CONFIG_READ of the table of targets (04 section 9.1).</summary>
    private async Task ReadTargetTableAsync()
    {
        var call = new RpcCall(Opcode.MgsConfigRead, MgsConfigBody.Size);
        ref var body = ref call.Get<MgsConfigBody>(1);
        Encoding.ASCII.GetBytes($"{Options.FileSystem}-cliir", body.Name);
        body.Offset = 1;
        body.Type = MgsConfigBody.TypeRecover;
        body.Bits = UnitShift;
        body.Units = OfferedUnits;
        call.SetBulk(BulkDirection.Read, Portal.MgsBulk, new Memory<byte>[] { new byte[OfferedUnits << UnitShift] }, 1);
        using var reply = await SendAsync(_mgs, call);
        var result = reply.Get<MgsConfigRes>(1);
        if (result.Offset > result.TableVersion)
        {
            throw new RpcException(Errno.EPROTO, message: "the table of targets ends behind its end");
        }
    }

    /// <summary>A <c>lustre_cfg</c> (04 section 6.1).</summary>
    private readonly ref struct ConfigurationCommand(ReadOnlySpan<byte> payload)
    {
        private readonly ReadOnlySpan<byte> _payload = payload;

        public LcfgCommand Code => MemoryMarshal.Read<LustreCfg>(_payload).Command;

        public ReadOnlySpan<byte> Bytes(int index)
        {
            var count = (int)MemoryMarshal.Read<LustreCfg>(_payload).BufCount;
            var lengths = MemoryMarshal.Cast<byte, int>(_payload.Slice(LustreCfg.Size, count * sizeof(int)));
            var start = MessageLayout.Round8(LustreCfg.Size + (count * sizeof(int)));
            for (var i = 0; i < index; i++)
            {
                start += MessageLayout.Round8(lengths[i]);
            }

            return _payload.Slice(start, lengths[index]);
        }

        /// <summary>A string, which must end with the only NUL of its buffer; empty when it is absent.</summary>
        public string Text(int index)
        {
            var bytes = Bytes(index);
            return bytes.IsEmpty
                ? ""
                : bytes.IndexOf((byte)0) == bytes.Length - 1
                    ? Encoding.ASCII.GetString(bytes[..^1])
                    : throw new RpcException(Errno.EINVAL, message: $"buffer {index} of {Code} is no string");
        }
    }
}
