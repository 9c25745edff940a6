namespace Nacre.LNet.Tests.Support;

/// <summary>Bytes as the protocol reference prints them.</summary>
internal static class Hex
{
    public static byte[] Parse(string text) => Convert.FromHexString(string.Concat(text.Where(c => !char.IsWhiteSpace(c))));
}
