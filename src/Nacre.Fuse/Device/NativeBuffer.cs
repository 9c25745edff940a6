using System.Buffers;

namespace Nacre.Fuse.Device;

/// <summary>
/// Page-aligned memory outside the managed heap for one large request or answer. Its pages are taken from the system when
/// they are first
/// used.
/// </summary>
internal sealed unsafe class NativeBuffer : MemoryManager<byte>
{
    private byte* _pointer;

    /// <exception cref="OutOfMemoryException">The system gives none.</exception>
    public NativeBuffer(int length)
    {
        void* memory = LinuxCalls.MapMemory(
            null, (nuint)length, LinuxCalls.ProtectRead | LinuxCalls.ProtectWrite, LinuxCalls.MapPrivate | LinuxCalls.MapAnonymous, -1, 0);
        if ((nint)memory == -1) throw new OutOfMemoryException($"no {length} bytes for a FUSE request");
        _pointer = (byte*)memory;
        Length = length;
    }

    public int Length { get; }

    public byte* Pointer => _pointer;

    public override Span<byte> GetSpan() => new(_pointer, Length);

    public override MemoryHandle Pin(int elementIndex = 0) => new(_pointer + elementIndex);

    public override void Unpin()
    {
    }

    public Memory<byte> Slice(int start, int length) => CreateMemory(start, length);

    protected override void Dispose(bool disposing)
    {
        if (_pointer == null) return;
        _ = LinuxCalls.UnmapMemory(_pointer, (nuint)Length);
        _pointer = null;
    }
}
