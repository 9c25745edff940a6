namespace Nacre.Server;

/// <summary>The release our servers present themselves as: 2.15.8, whose behaviour the protocol references describe (02 section 11).</summary>
internal static class ServerVersion
{
    /// <summary>(major &lt;&lt; 24) | (minor &lt;&lt; 16) | (patch &lt;&lt; 8) | fix.</summary>
    public const uint Code = 0x020f_0800;
}
