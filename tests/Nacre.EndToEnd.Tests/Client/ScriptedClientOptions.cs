using System.Net;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Nacre.LNet;
using Nacre.LNet.Transports;

namespace Nacre.EndToEnd.Client;

/// <summary>Where and as whom a <see cref="ScriptedClient"/> mounts.</summary>
public sealed record ScriptedClientOptions
{
    public required ITransport Transport { get; init; }

    /// <summary>Where the server listens.</summary>
    public required IPEndPoint Server { get; init; }

    public required Nid ServerNid { get; init; }

    /// <summary>This client's address; no two clients of one server may have the same.</summary>
    public required Nid Nid { get; init; }

    public required string FileSystem { get; init; }

    public TimeProvider Time { get; init; } = TimeProvider.System;

    public ILoggerFactory Logging { get; init; } = NullLoggerFactory.Instance;

    /// <summary>No operation may take longer, real time.</summary>
    public TimeSpan OperationLimit { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Pause between the loss of the configuration lock and reading the log again. A kernel takes 5 to 10 s (04 section 8.4).</summary>
    public TimeSpan RequeueDelay { get; init; } = TimeSpan.FromMilliseconds(50);
}

/// <summary>Whom a request is made for (05 section 9.1).</summary>
public sealed record Caller(uint Uid, uint Gid, uint Capabilities)
{
    public static readonly Caller Root = new(0, 0, uint.MaxValue);

    /// <summary>A user without privileges.</summary>
    public static Caller User(uint uid, uint? gid = null) => new(uid, gid ?? uid, 0);
}
