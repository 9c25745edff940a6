using System.Net.Sockets;
using System.Text.Json;

namespace Nacre.Server.Node.Control;

/// <summary>Asks the node that runs on a data folder of this machine.</summary>
public static class ControlClient
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    /// <summary>The node's state after the request.</summary>
    /// <exception cref="NodeConfigurationException">No node runs there, it is another user's, or it refuses; the message is for the
    /// person who asked.</exception>
    public static async Task<NodeStatus> AskAsync(string dataFolder, ControlRequest request, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Patience);
        try
        {
            var reply = await ExchangeAsync(ControlLine.PathIn(dataFolder), request, limit.Token);
            return reply is { Error: null, Status: { } status }
                ? status
                : throw new NodeConfigurationException(reply?.Error ?? "the node's answer is empty");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new NodeConfigurationException($"the node of {dataFolder} does not answer");
        }
        catch (Exception e) when (e is SocketException or IOException or JsonException or ArgumentException)
        {
            throw new NodeConfigurationException(Explain(dataFolder, e), e);
        }
    }

    private static async Task<ControlReply?> ExchangeAsync(string path, ControlRequest request, CancellationToken cancellationToken)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken);
        await ControlLine.WriteAsync(
            socket, JsonSerializer.SerializeToUtf8Bytes(request, ControlMessagesContext.Default.ControlRequest), cancellationToken);
        var line = await ControlLine.ReadAsync(socket, cancellationToken);
        return JsonSerializer.Deserialize(line.Span, ControlMessagesContext.Default.ControlReply);
    }

    private static string Explain(string dataFolder, Exception e) => e switch
    {
        SocketException { SocketErrorCode: SocketError.AccessDenied } => $"the node of {dataFolder} belongs to another user",
        SocketException { SocketErrorCode: SocketError.ConnectionRefused or SocketError.AddressNotAvailable } =>
            $"no node runs on {dataFolder}",
        _ when !File.Exists(ControlLine.PathIn(dataFolder)) => $"no node runs on {dataFolder}",
        _ => $"the node of {dataFolder} cannot be asked: {e.Message}",
    };
}
