using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace Nacre.PtlRpc.Wire;

/// <summary><c>ptlrpc_body_v3</c>, buffer 0 of every message (02 section 3.1).</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
public struct PtlrpcBody
{
    public const int Size = 184;

    /// <summary>Size without <see cref="JobId"/>; a peer may send no more than this.</summary>
    public const int SizeV2 = 152;

    /// <summary>Export handle the server gave at connect; the client's own handle in requests to a client.</summary>
    public ulong Handle;
    public MessageType Type;
    public uint Version;
    public uint Opcode;

    /// <summary>Reply: negative errno or a positive lock status. Request: a process id, to be ignored.</summary>
    public int Status;

    /// <summary>Every xid up to this one has been answered and the answer processed (02 section 3.7).</summary>
    public ulong LastXid;

    /// <summary>Reply slot + 1 of a modifying request, else 0 (02 section 12.5).</summary>
    public ushort Tag;
    public ushort Padding0;
    public uint Padding1;
    public ulong LastCommitted;
    public ulong Transno;
    public BodyFlags Flags;
    public ConnectOperationFlags OperationFlags;
    public uint ConnectionCount;

    /// <summary>Seconds: how long the client waits (request), the estimate for later requests (reply).</summary>
    public uint Timeout;

    /// <summary>Seconds from arrival to this reply, at least 1.</summary>
    public uint ServiceTime;
    public uint Limit;
    public ulong ServerLockVolume;
    public PreVersionArray PreVersions;

    /// <summary>Match bits of the last bulk descriptor and, with REP_MBITS, of the reply.</summary>
    public ulong MatchBits;
    public ulong Padding64A;
    public ulong Padding64B;
    public ulong Padding64C;
    public JobIdBytes JobId;

    /// <summary>Reads a body of at least <see cref="SizeV2"/> bytes; a missing job id becomes empty.</summary>
    public static void Read(ReadOnlySpan<byte> buffer, out PtlrpcBody body)
    {
        if (buffer.Length >= Size)
        {
            body = MemoryMarshal.Read<PtlrpcBody>(buffer);
            return;
        }

        body = default;
        buffer[..SizeV2].CopyTo(MemoryMarshal.AsBytes(new Span<PtlrpcBody>(ref body)));
    }

    [InlineArray(4)]
    public struct PreVersionArray
    {
        private ulong _first;
    }

    /// <summary>Up to 31 characters and a NUL.</summary>
    [InlineArray(32)]
    public struct JobIdBytes
    {
        private byte _first;

        public override readonly string ToString()
        {
            ReadOnlySpan<byte> bytes = this;
            var end = bytes.IndexOf((byte)0);
            return Encoding.UTF8.GetString(end < 0 ? bytes : bytes[..end]);
        }
    }
}

/// <summary><c>pb_type</c> (02 section 3.2).</summary>
public enum MessageType : uint
{
    Request = 4711,

    /// <summary>The RPC itself failed: bad handle, unpack error, unknown opcode...</summary>
    Error = 4712,

    /// <summary>The handler ran; the status may still be negative.</summary>
    Reply = 4713,
}

/// <summary><c>pb_flags</c> (02 section 3.5). Unknown bits are ignored: MDS_GET_ROOT of 2.15 carries 0x9.</summary>
[Flags]
public enum BodyFlags : uint
{
    None = 0,
    Resent = 0x2,
    Replay = 0x4,
    RequestReplayDone = 0x40,
    LockReplayDone = 0x80,
}

/// <summary><c>pb_op_flags</c>, used on connects only (02 section 3.6).</summary>
[Flags]
public enum ConnectOperationFlags : uint
{
    None = 0,
    Recovering = 0x1,
    Reconnect = 0x2,
    Replayable = 0x4,
    LibClient = 0x10,
    Initial = 0x20,
    NextVersion = 0x80,
    Transno = 0x100,
}
