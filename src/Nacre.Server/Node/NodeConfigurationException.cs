namespace Nacre.Server.Node;

/// <summary>A node cannot be started as asked. The message is one line for the person who asked.</summary>
public sealed class NodeConfigurationException(string message, Exception? inner = null) : Exception(message, inner);
