using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Nacre.ControlPlane.Shapes;

namespace Nacre.ControlPlane.Client;

/// <summary>What the client reads and writes.</summary>
[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, WriteIndented = false)]
[JsonSerializable(typeof(JsonObject))]
[JsonSerializable(typeof(FileSystem))]
[JsonSerializable(typeof(FileSystem[]))]
[JsonSerializable(typeof(Tag[]))]
public sealed partial class ClientJson : JsonSerializerContext;
