using Nacre.PtlRpc;

namespace Nacre.Client;

/// <summary>A mount that did not come about. The message is one line that says in plain words what is wrong, fit for a terminal.</summary>
public sealed class MountException(int errno, string message, Exception? inner = null) : ErrnoException(errno, message, inner);
