using System.Net.Sockets;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace Nacre.Server.Node.Control;

/// <summary>
/// A Unix domain socket in the data folder, through which commands on the same machine reach the running node. Only the node's own
/// user can open it. One request a connection; a few connections at a time.
/// </summary>
internal sealed partial class ControlSocket : IAsyncDisposable
{
    private const int MaxConnections = 4;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly Func<ControlRequest, CancellationToken, Task<ControlReply>> _answer;
    private readonly ILogger _log;
    private readonly Socket _listener;
    private readonly string _path;
    private readonly SemaphoreSlim _places = new(MaxConnections);
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _accepting;

    private ControlSocket(
        string path, Socket listener, Func<ControlRequest, CancellationToken, Task<ControlReply>> answer, ILogger log)
    {
        (_path, _listener, _answer, _log) = (path, listener, answer, log);
        _accepting = AcceptAsync();
    }

    /// <summary>
    /// Listens in the folder, whose lock the caller holds: a socket found there is of a node that was killed. Null, with a line in
    /// the log, when the path is too long for a socket.
    /// </summary>
    public static ControlSocket? Open(
        string dataFolder, Func<ControlRequest, CancellationToken, Task<ControlReply>> answer, ILogger log)
    {
        var path = ControlLine.PathIn(dataFolder);
        var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            var at = new UnixDomainSocketEndPoint(path);
            File.Delete(path);
            listener.Bind(at);
            if (!OperatingSystem.IsWindows())
            {
                // Before it listens: until then nobody can connect.
                File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            }

            listener.Listen(MaxConnections);
            return new ControlSocket(path, listener, answer, log);
        }
        catch (Exception e) when (e is ArgumentException or SocketException or IOException or UnauthorizedAccessException)
        {
            listener.Dispose();
            LogUnavailable(log, path, e.Message);
            return null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _accepting;
        for (var i = 0; i < MaxConnections; i++)
        {
            // Whoever is being served has its place until it is done.
            await _places.WaitAsync();
        }

        _listener.Dispose();
        File.Delete(_path);
        _stopping.Dispose();
        _places.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                await _places.WaitAsync(_stopping.Token);
                await ServeNextAsync();
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (SocketException e)
            {
                LogFailed(_log, e.Message);
                var delay = Task.Delay(TimeSpan.FromSeconds(1), _stopping.Token);
                await delay.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <summary>The place that was taken is given back when the caller is served, or when there is none.</summary>
    private async Task ServeNextAsync()
    {
        Socket caller;
        try
        {
            caller = await _listener.AcceptAsync(_stopping.Token);
        }
        catch
        {
            _places.Release();
            throw;
        }

        _ = ServeAsync(caller);
    }

    private async Task ServeAsync(Socket caller)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
        limit.CancelAfter(Patience);
        try
        {
            var line = await ControlLine.ReadAsync(caller, limit.Token);
            // The work itself has the time it needs.
            var reply = await AnswerAsync(line, _stopping.Token);
            limit.CancelAfter(Patience);
            await ControlLine.WriteAsync(
                caller, JsonSerializer.SerializeToUtf8Bytes(reply, ControlMessagesContext.Default.ControlReply), limit.Token);
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException)
        {
            LogFailed(_log, e.Message);
        }
        finally
        {
            caller.Dispose();
            _places.Release();
        }
    }

    private async Task<ControlReply> AnswerAsync(ReadOnlyMemory<byte> line, CancellationToken cancellationToken)
    {
        try
        {
            var request = JsonSerializer.Deserialize(line.Span, ControlMessagesContext.Default.ControlRequest);
            return request is null ? new ControlReply("an empty request", null) : await _answer(request, cancellationToken);
        }
        catch (Exception e) when (e is JsonException or NodeConfigurationException)
        {
            return new ControlReply(e.Message, null);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            LogCommandFailed(_log, e);
            return new ControlReply($"the node failed: {e.Message}", null);
        }
    }

    [LoggerMessage(10, LogLevel.Warning, "no control socket at {Path}, so commands cannot reach this node: {Why}")]
    private static partial void LogUnavailable(ILogger log, string path, string why);

    [LoggerMessage(11, LogLevel.Warning, "control socket: {Why}")]
    private static partial void LogFailed(ILogger log, string why);

    [LoggerMessage(12, LogLevel.Error, "a command over the control socket failed")]
    private static partial void LogCommandFailed(ILogger log, Exception failure);
}
