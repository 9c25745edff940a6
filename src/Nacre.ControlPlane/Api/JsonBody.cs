using System.Text.Json;
using System.Text.Unicode;

namespace Nacre.ControlPlane.Api;

/// <summary>The body of a request in AWS JSON: one object, and nothing that two parsers could read in two ways.</summary>
internal static class JsonBody
{
    /// <exception cref="ApiException">
    /// It is no JSON object in UTF-8, is nested too deeply, or has a name twice in one object; also where a string has half a surrogate pair, which
    /// is no text.
    /// </exception>
    public static JsonDocument Parse(ReadOnlyMemory<byte> body, int maxDepth)
    {
        if (body.IsEmpty) throw Bad("The request has no body; an object is needed, {} where there are no parameters.");
        if (!Utf8.IsValid(body.Span)) throw Bad("The body is not text in UTF-8.");
        JsonDocument? document = null;
        try
        {
            CheckStrings(body.Span, maxDepth);
            document = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = maxDepth, AllowDuplicateProperties = false });
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            var at = e is JsonException { LineNumber: { } line, BytePositionInLine: { } position } ? $" (line {line + 1}, byte {position + 1})" : "";
            throw Bad($"The body is not JSON as it has to be{at}.");
        }

        if (document.RootElement.ValueKind == JsonValueKind.Object) return document;
        document.Dispose();
        throw Bad("The body is JSON, but no object.");
    }

    // A document decodes escapes only when a string is asked for, which is too late for a clean answer.
    private static void CheckStrings(ReadOnlySpan<byte> body, int maxDepth)
    {
        var reader = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = maxDepth });
        while (reader.Read())
        {
            if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName && reader.ValueIsEscaped) _ = reader.GetString();
        }
    }

    private static ApiException Bad(string message) => new("SerializationException", message);
}
