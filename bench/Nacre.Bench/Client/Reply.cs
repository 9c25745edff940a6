using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Nacre.PtlRpc.Wire;

namespace Nacre.Bench.Client;

/// <summary>Checks of replies. A figure counts only RPCs that did what they were asked for.</summary>
internal static class Reply
{
    /// <summary>A well-formed reply of status 0.</summary>
    /// <exception cref="InvalidDataException">It is not.</exception>
    public static LustreMessage Open(ReadOnlySpan<byte> bytes, out PtlrpcBody body)
    {
        var message = OpenAny(bytes, out body);
        if (body.Status != 0) ThrowStatus(body);
        return message;
    }

    /// <summary>A well-formed reply whose status the caller checks.</summary>
    public static LustreMessage OpenAny(ReadOnlySpan<byte> bytes, out PtlrpcBody body)
    {
        var error = LustreMessage.TryParse(bytes, out var message);
        if (error != MessageError.None) throw new InvalidDataException($"a reply that is no message: {error}");
        message.ReadBody(out body);
        if (body.Type != MessageType.Reply) ThrowStatus(body);
        return message;
    }

    /// <summary>A structure of the reply.</summary>
    public static ref readonly T Get<T>(in LustreMessage message, int index)
        where T : unmanaged
    {
        var buffer = message.Buffer(index);
        if (buffer.Length < Unsafe.SizeOf<T>()) throw new InvalidDataException($"reply buffer {index} has {buffer.Length} bytes");
        return ref MemoryMarshal.AsRef<T>(buffer);
    }

    public static void ThrowStatus(in PtlrpcBody body) =>
        throw new InvalidDataException($"{Opcode.Name(body.Opcode)} was answered {body.Type} with status {body.Status}");
}
