using System.Text.Json;
using System.Text.Json.Serialization;
using Nacre.ControlPlane.Catalog;

namespace Nacre.ControlPlane.Shapes;

/// <summary>
/// How shapes become JSON: member names as in the service model, null members left out, unknown ones ignored, as AWS does.
/// A member of the wrong JSON type is a <see cref="JsonException"/>.
/// </summary>
[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(FileSystemEntry))]
internal sealed partial class ShapesJson : JsonSerializerContext;
