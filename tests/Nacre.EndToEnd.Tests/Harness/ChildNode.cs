using System.Diagnostics;

namespace Nacre.EndToEnd.Harness;

/// <summary>A <c>nacre up</c> process of its own, which can be killed at any moment.</summary>
public sealed class ChildNode : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);
    private readonly Process _process;
    private readonly Task _output;
    private readonly List<string> _lines = [];
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ChildNode(Process process)
    {
        _process = process;
        _output = Task.WhenAll(ReadAsync(process.StandardOutput), ReadAsync(process.StandardError));
    }

    /// <summary>What it has written so far.</summary>
    public string Output
    {
        get
        {
            lock (_lines)
            {
                return string.Join('\n', _lines);
            }
        }
    }

    public static Task<ChildNode> StartAsync(string dataFolder, int port, string fileSystem, params string[] options) =>
        StartAsync(dataFolder, port, ["--api", "none", "--file-system", fileSystem, .. options]);

    /// <param name="options">Of <c>nacre up</c>, beside folder, address and port.</param>
    public static async Task<ChildNode> StartAsync(string dataFolder, int port, string[] options)
    {
        var executable = Path.Combine(AppContext.BaseDirectory, "nacre.dll");
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in (string[])[
            executable, "up", "--data", dataFolder, "--nid", "127.0.0.1@tcp", "--lnet-port", $"{port}", .. options])
        {
            start.ArgumentList.Add(argument);
        }

        var node = new ChildNode(Process.Start(start)!);
        try
        {
            await node._ready.Task.WaitAsync(StartLimit);
            return node;
        }
        catch (Exception failure)
        {
            await node.DisposeAsync();
            throw new InvalidOperationException($"nacre up did not start: {node.Output}", failure);
        }
    }

    /// <summary>kill -9.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        await _output;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            await KillAsync();
        }

        _process.Dispose();
    }

    private async Task ReadAsync(StreamReader reader)
    {
        while (await reader.ReadLineAsync() is { } line)
        {
            lock (_lines)
            {
                _lines.Add(line);
            }

            if (line.StartsWith("ready on "))
            {
                _ready.TrySetResult();
            }
        }

        _ready.TrySetException(new InvalidOperationException("it ended"));
    }
}
