using System.Collections.Immutable;

namespace Nacre.PtlRpc.Wire;

/// <summary>How the contents of a buffer are laid out (02 section 2.8).</summary>
public enum FieldKind
{
    /// <summary>One structure; a shorter buffer is an error, surplus bytes are ignored.</summary>
    Structure,

    /// <summary>Elements of one size; the length must be a multiple of it.</summary>
    Array,

    /// <summary>Text with a NUL somewhere inside the buffer.</summary>
    Text,

    /// <summary>Bytes whose meaning the operation knows; any length.</summary>
    Bytes,
}

/// <summary>What stands at one position of a request format (02 section 8.1).</summary>
/// <param name="Name">Upstream's name without <c>RMF_</c>.</param>
/// <param name="Size">Bytes of the structure (the smallest accepted) or of one array element; 0 for the other kinds.</param>
public sealed record MessageField(string Name, FieldKind Kind, int Size)
{
    /// <summary>True when a buffer with these contents may stand at this position. An empty buffer may stand anywhere.</summary>
    public bool Accepts(ReadOnlySpan<byte> buffer) => buffer.IsEmpty || Kind switch
    {
        FieldKind.Structure => buffer.Length >= Size,
        FieldKind.Array => buffer.Length % Size == 0,
        FieldKind.Text => buffer.Contains((byte)0),
        _ => true,
    };

    public override string ToString() => Name;
}

/// <summary>
/// The buffers of one kind of request and of its reply, by position; position 0 is always the body (02 section 8).
/// </summary>
public sealed class RequestFormat
{
    internal RequestFormat(string name, MessageField[] request, MessageField[] reply)
    {
        Name = name;
        Request = [MessageFields.PtlrpcBody, .. request];
        Reply = [MessageFields.PtlrpcBody, .. reply];
    }

    /// <summary>Upstream's name without <c>RQF_</c>.</summary>
    public string Name { get; }

    public ImmutableArray<MessageField> Request { get; }

    public ImmutableArray<MessageField> Reply { get; }

    /// <summary>
    /// Checks a request's buffers: those present must be long enough, arrays whole, texts terminated, and the structure at
    /// position 1, which every operation needs, must be there. Other buffers may be absent (senders trim what they leave unset)
    /// and further ones may follow.
    /// </summary>
    /// <returns>0, or <see cref="Errno.EPROTO"/>.</returns>
    public int CheckRequest(LustreMessage message)
    {
        if (Request.Length > 1 && Request[1].Kind == FieldKind.Structure && message.BufferLength(1) == 0)
        {
            return Errno.EPROTO;
        }

        return Check(message, Request);
    }

    /// <summary>Checks a reply's buffers as <see cref="CheckRequest"/> does; a bare body passes (02 section 2.8).</summary>
    /// <returns>0, or <see cref="Errno.EPROTO"/>.</returns>
    public int CheckReply(LustreMessage message) => Check(message, Reply);

    public override string ToString() => Name;

    private static int Check(LustreMessage message, ImmutableArray<MessageField> fields)
    {
        var count = Math.Min(message.BufferCount, fields.Length);
        for (var i = 1; i < count; i++)
        {
            if (!fields[i].Accepts(message.Buffer(i)))
            {
                return Errno.EPROTO;
            }
        }

        return 0;
    }
}
