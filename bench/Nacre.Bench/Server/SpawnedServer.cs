using System.ComponentModel;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Nacre.Bench.Client;
using Nacre.Bench.Loads;
using Nacre.LNet;

namespace Nacre.Bench.Server;

/// <summary>
/// A <c>nacre up</c> of our own: a new file system in a temporary folder, on a loopback address and a port that needs no
/// privilege. Ended with SIGTERM, as users end it; the folder goes with it.
/// </summary>
internal sealed class SpawnedServer : IDisposable
{
    private const string FileSystem = "bench";
    private static readonly TimeSpan StartPatience = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(30);
    private readonly string _folder;
    private readonly string _launcher;
    private readonly int _osts;
    private Process _process;

    private SpawnedServer(string launcher, string folder, int osts, ServerAddress address)
    {
        _launcher = launcher;
        _folder = folder;
        _osts = osts;
        Address = address;
        _process = StartProcess();
    }

    public ServerAddress Address { get; }

    public int ProcessId => _process.Id;

    /// <param name="launcher">The <c>nacre</c> command; null takes the one of the source tree this program was built in.</param>
    /// <param name="parent">Folder the data folder is made in: choose the disk by it. Null: the system's temporary folder.</param>
    /// <exception cref="IOException">The server did not come up; its own words are on the standard error.</exception>
    public static SpawnedServer Start(string? launcher, string? parent, int osts)
    {
        var folder = Path.Combine(parent ?? Path.GetTempPath(), $"nacre-bench-{Environment.ProcessId}");
        var address = new ServerAddress(Nid.FromTcp(IPAddress.Loopback), new IPEndPoint(IPAddress.Loopback, FreePort()), FileSystem);
        var server = new SpawnedServer(launcher ?? FindLauncher(), folder, osts, address);
        try
        {
            server.WaitUntilUp();
            return server;
        }
        catch
        {
            server.Dispose();
            throw;
        }
    }

    /// <summary>Kills the server as a crash would, and starts it again on the same data.</summary>
    public void KillAndRestart()
    {
        LinuxCalls.Signal(_process.Id, LinuxCalls.SigKill);
        _process.WaitForExit();
        _process.Dispose();
        _process = StartProcess();
        WaitUntilUp();
    }

    public void Dispose()
    {
        if (!_process.HasExited) LinuxCalls.Signal(_process.Id, LinuxCalls.SigTerm);
        if (!_process.WaitForExit(StopPatience))
        {
            Console.Error.WriteLine($"the server did not end within {StopPatience.TotalSeconds:0} s of SIGTERM; killed");
            _process.Kill();
            _process.WaitForExit();
        }

        _process.Dispose();
        if (Directory.Exists(_folder)) Directory.Delete(_folder, recursive: true);
    }

    private static string FindLauncher()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var launcher = Path.Combine(folder.FullName, "nacre");
            if (File.Exists(launcher) && File.Exists(Path.Combine(folder.FullName, "Nacre.slnx"))) return launcher;
        }

        throw new IOException("no nacre launcher above the program's folder; name it with --nacre");
    }

    private static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }

    private Process StartProcess()
    {
        // The server's log is not part of the report.
        var start = new ProcessStartInfo(_launcher) { RedirectStandardOutput = true };
        foreach (var argument in (ReadOnlySpan<string>)
        [
            "up", "--data", _folder, "--nid", Address.Nid.ToString(), "--lnet-port", $"{Address.At.Port}",
            "--file-system", $"{FileSystem},osts={_osts}",
        ])
        {
            start.ArgumentList.Add(argument);
        }

        try
        {
            var process = Process.Start(start)!;
            process.OutputDataReceived += (_, _) => { };
            process.BeginOutputReadLine();
            return process;
        }
        catch (Win32Exception e)
        {
            throw new IOException($"{_launcher} cannot be started: {e.Message}", e);
        }
    }

    /// <summary>Up is who greets on the port. The launcher may have to build the server first.</summary>
    private void WaitUntilUp()
    {
        var started = Stopwatch.GetTimestamp();
        var route = new Route(new PeerId(Nid.FromTcp(new IPAddress([127, 8, 255, 1]))), new PeerId(Address.Nid));
        while (true)
        {
            if (_process.HasExited) throw new IOException($"the server ended with exit code {_process.ExitCode}");
            try
            {
                Handshake.Open(Address.At, route, (ulong)Stopwatch.GetTimestamp(), Handshake.Control).Dispose();
                return;
            }
            catch (Exception e) when (e is SocketException or IOException)
            {
                if (Stopwatch.GetElapsedTime(started) > StartPatience) throw new IOException("the server does not answer", e);
                Thread.Sleep(100);
            }
        }
    }
}
