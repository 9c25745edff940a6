namespace Nacre.Server.Node;

/// <summary>What a node holds on behalf of its clients at one moment. All of it goes when the clients go.</summary>
/// <param name="Connections">LNet connections.</param>
/// <param name="Exports">Connected clients, counted at each target.</param>
/// <param name="Locks">Locks of clients, granted or waiting.</param>
/// <param name="OpenFiles">Open handles on files.</param>
/// <param name="BulkBuffers">Buffers of 1 MiB in use for file data on its way.</param>
/// <param name="BulkWaiting">Requests that wait for such a buffer.</param>
public sealed record NodeLoad(int Connections, int Exports, int Locks, int OpenFiles, int BulkBuffers, int BulkWaiting);
