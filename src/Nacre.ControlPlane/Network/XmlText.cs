using System.Text;
using System.Xml;

namespace Nacre.ControlPlane.Network;

/// <summary>Answers of the query protocol.</summary>
internal static class XmlText
{
    private static readonly XmlWriterSettings Settings = new() { Encoding = new UTF8Encoding(false), CheckCharacters = true };

    /// <param name="root">Element around what <paramref name="content"/> writes.</param>
    public static byte[] Write(string root, string? xmlNamespace, Action<XmlWriter> content)
    {
        using var bytes = new MemoryStream();
        using (var xml = XmlWriter.Create(bytes, Settings))
        {
            xml.WriteStartElement(root, xmlNamespace);
            content(xml);
            xml.WriteEndElement();
        }

        return bytes.ToArray();
    }

    /// <summary>A text that may hold what a caller sent, without what XML cannot say.</summary>
    public static string Valid(string text) => string.Concat(text.Select(c => XmlConvert.IsXmlChar(c) ? c : '\uFFFD'));
}
