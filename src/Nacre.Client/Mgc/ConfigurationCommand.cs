using System.Runtime.InteropServices;
using System.Text;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.Client.Mgc;

/// <summary>A <c>lustre_cfg</c> in the payload of a record (04 section 6.1). Nothing in it is trusted.</summary>
internal readonly ref struct ConfigurationCommand
{
    private readonly ReadOnlySpan<byte> _payload;
    private readonly int _count;

    /// <exception cref="RpcException">EINVAL: not a lustre_cfg.</exception>
    public ConfigurationCommand(ReadOnlySpan<byte> payload)
    {
        _payload = payload;
        if (payload.Length < LustreCfg.Size)
        {
            throw Bad("is too short");
        }

        Header = MemoryMarshal.Read<LustreCfg>(payload);
        if (Header.Version != LustreCfg.CurrentVersion || Header.BufCount is 0 or > LustreCfg.MaxBuffers)
        {
            throw Bad("is of an unknown version");
        }

        _count = (int)Header.BufCount;
        if (payload.Length < LustreCfg.Size + (_count * sizeof(int)))
        {
            throw Bad("is too short");
        }
    }

    public LustreCfg Header { get; }

    public LcfgCommand Code => Header.Command;

    /// <summary>A failure of such a command fails the mount (04 section 6.2).</summary>
    public bool IsRequired => ((uint)Code & 0x1000) != 0;

    /// <summary>A buffer; empty when it is absent.</summary>
    public ReadOnlySpan<byte> Bytes(int index)
    {
        if (index >= _count)
        {
            return [];
        }

        var lengths = MemoryMarshal.Cast<byte, uint>(_payload.Slice(LustreCfg.Size, _count * sizeof(uint)));
        long start = MessageLayout.Round8(LustreCfg.Size + (_count * sizeof(uint)));
        for (var i = 0; i < index; i++)
        {
            start += (lengths[i] + 7L) & ~7L;
        }

        return start + lengths[index] <= _payload.Length
            ? _payload.Slice((int)start, (int)lengths[index])
            : throw Bad("has buffers beyond its end");
    }

    /// <summary>A string up to its NUL; empty when it is absent.</summary>
    public string Text(int index)
    {
        var bytes = Bytes(index);
        var end = bytes.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? bytes : bytes[..end]);
    }

    private static RpcException Bad(string what) => new(Errno.EINVAL, message: $"a configuration record {what}");
}
