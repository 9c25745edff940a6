using System.Buffers;
using System.Text.Json;

namespace Nacre.ControlPlane.Audit;

/// <summary>One call of the API: who, what, and how it ended. Holds nothing of a request but names and ids.</summary>
public sealed record AuditRecord
{
    public required DateTimeOffset Time { get; init; }

    public required string RequestId { get; init; }

    /// <summary>Null where the caller could not be told.</summary>
    public string? AccountId { get; init; }

    /// <summary>With a failed authentication, the key that was claimed.</summary>
    public string? AccessKeyId { get; init; }

    /// <summary>Address the connection came from.</summary>
    public required string Source { get; init; }

    /// <summary><c>fsx</c>, <c>ec2</c> or <c>sts</c>.</summary>
    public required string Service { get; init; }

    public required string Operation { get; init; }

    /// <summary>What the call was about, where it was one thing.</summary>
    public string? ResourceId { get; init; }

    /// <summary><c>OK</c>, or the code of the error that was answered.</summary>
    public required string Outcome { get; init; }

    /// <summary>HTTP status.</summary>
    public required int Status { get; init; }

    public required TimeSpan Duration { get; init; }

    /// <summary>Failed authentications since the last one that is in the log, which left no line.</summary>
    public int Suppressed { get; init; }

    /// <summary>Longest text kept of what a caller may choose.</summary>
    private const int MaxText = 256;

    /// <summary>A line of JSON, with its end.</summary>
    public byte[] ToLine()
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("time", Time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", System.Globalization.CultureInfo.InvariantCulture));
            json.WriteString("requestId", RequestId);
            Write(json, "account", AccountId);
            Write(json, "accessKeyId", AccessKeyId);
            json.WriteString("source", Source);
            json.WriteString("service", Service);
            Write(json, "operation", Operation);
            Write(json, "resource", ResourceId);
            json.WriteString("outcome", Outcome);
            json.WriteNumber("status", Status);
            json.WriteNumber("milliseconds", Math.Round(Duration.TotalMilliseconds, 3));
            if (Suppressed > 0) json.WriteNumber("suppressed", Suppressed);
            json.WriteEndObject();
        }

        buffer.Write("\n"u8);
        return buffer.WrittenSpan.ToArray();
    }

    private static void Write(Utf8JsonWriter json, string name, string? value)
    {
        if (value is not null) json.WriteString(name, value.AsSpan(0, Math.Min(value.Length, MaxText)));
    }
}
