using Nacre.PtlRpc;

namespace Nacre.Server;

/// <summary>An expected refusal of a file-system operation: a positive Linux errno that becomes the status of the reply.</summary>
public sealed class FsException(int errno) : ErrnoException(errno);
