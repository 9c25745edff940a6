using System.Text.Json.Serialization;

namespace Nacre.Server.Node.Control;

/// <summary>One line to the control socket.</summary>
/// <param name="Command">One of <see cref="ControlRequest"/>'s constants.</param>
/// <param name="FileSystem">For <see cref="AddOsts"/>.</param>
/// <param name="Count">For <see cref="AddOsts"/>.</param>
public sealed record ControlRequest(string Command, string? FileSystem = null, int Count = 1)
{
    public const string ShowStatus = "status";
    public const string AddOsts = "add-osts";
}

/// <summary>The line that answers it: why nothing was done, or how the node is afterwards.</summary>
/// <param name="Error">For the person who asked; null when all went well.</param>
public sealed record ControlReply(string? Error, NodeStatus? Status);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ControlRequest))]
[JsonSerializable(typeof(ControlReply))]
public sealed partial class ControlMessagesContext : JsonSerializerContext;
