namespace Nacre.Fuse;

/// <summary>A mount or unmount that failed, said in one line for the one who asked for it.</summary>
public sealed class FuseMountException(string message) : Exception(message);
