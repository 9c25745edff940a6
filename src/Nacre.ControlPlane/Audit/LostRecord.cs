using System.Globalization;
using System.Text;

namespace Nacre.ControlPlane.Audit;

/// <summary>Stands for lines that could not be written.</summary>
internal readonly record struct LostRecord(DateTimeOffset Time, int Count)
{
    public byte[] ToLine() => Encoding.UTF8.GetBytes(string.Create(
        CultureInfo.InvariantCulture,
        $"{{\"time\":\"{Time.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss.fff'Z'}\",\"outcome\":\"LOST\",\"lost\":{Count}}}\n"));
}
