using System.Text;

namespace Nacre.ControlPlane.Client;

/// <summary>The file in a node's data folder that says where its API is, for commands on the same machine. It is there while the node runs.</summary>
public static class ApiAddress
{
    private const string FileName = "nacre.api";

    public static void Write(string dataFolder, Uri url) =>
        File.WriteAllText(PathIn(dataFolder), url.GetLeftPart(UriPartial.Authority) + "\n", Encoding.ASCII);

    public static void Remove(string dataFolder) => File.Delete(PathIn(dataFolder));

    /// <exception cref="FsxException">No node with an API runs there.</exception>
    public static string Read(string dataFolder)
    {
        try
        {
            return File.ReadAllText(PathIn(dataFolder)).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FsxException(null, $"no node with an API runs on {dataFolder}", e);
        }
    }

    private static string PathIn(string dataFolder) => Path.Combine(dataFolder, FileName);
}
