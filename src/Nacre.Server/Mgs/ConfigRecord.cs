using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Nacre.LNet;
using Nacre.PtlRpc.Wire;

namespace Nacre.Server.Mgs;

/// <summary>Builds the payload of configuration records: a <c>lustre_cfg</c> with its buffers (04 sections 6.1 and 6.2).</summary>
internal static class ConfigRecord
{
    public static byte[] Attach(string device, string type, string uuid) => Strings(LcfgCommand.Attach, default, device, type, uuid);

    public static byte[] Setup(string device, string targetUuid, string nodeLabel) =>
        Strings(LcfgCommand.Setup, default, device, targetUuid, nodeLabel);

    /// <summary>SETUP with a descriptor structure as its argument (lov, lmv).</summary>
    public static byte[] Setup<T>(string device, in T descriptor)
        where T : unmanaged =>
        Pack(LcfgCommand.Setup, default, Text(device), MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in descriptor)).ToArray());

    public static byte[] AddUuid(string nodeLabel, Nid nid) => Strings(LcfgCommand.AddUuid, nid, null, nodeLabel);

    public static byte[] AddConn(string device, string nodeLabel) => Strings(LcfgCommand.AddConn, default, device, nodeLabel);

    public static byte[] MountOption(string profile, string lov, string lmv) =>
        Strings(LcfgCommand.MountOpt, default, null, profile, lov, lmv);

    /// <summary>The index goes out in decimal, although names carry it in hexadecimal (04 section 18, 7).</summary>
    public static byte[] AddMdc(string lmv, string mdtUuid, int index, string mdcUuid) =>
        Strings(LcfgCommand.AddMdc, default, lmv, mdtUuid, Decimal(index), "1", mdcUuid);

    /// <inheritdoc cref="AddMdc"/>
    public static byte[] LovAddObd(string lov, string ostUuid, int index) =>
        Strings(LcfgCommand.LovAddObd, default, lov, ostUuid, Decimal(index), "1");

    /// <param name="device">Null for parameters that address no device (<c>sys.</c>).</param>
    public static byte[] Param(string? device, string assignment) => Strings(LcfgCommand.Param, default, device, assignment);

    public static byte[] Marker(in CfgMarker marker) =>
        Pack(LcfgCommand.Marker, default, [], MemoryMarshal.AsBytes(new ReadOnlySpan<CfgMarker>(in marker)).ToArray());

    private static string Decimal(int index) => index.ToString(System.Globalization.CultureInfo.InvariantCulture);

    private static byte[] Strings(LcfgCommand command, Nid nid, params ReadOnlySpan<string?> texts)
    {
        var buffers = new byte[texts.Length][];
        for (var i = 0; i < buffers.Length; i++)
        {
            buffers[i] = Text(texts[i]);
        }

        return Pack(command, nid, buffers);
    }

    /// <summary>The bytes of a string with its NUL; none for an absent one.</summary>
    private static byte[] Text(string? text) => text is null ? [] : Encoding.ASCII.GetBytes(text + '\0');

    private static byte[] Pack(LcfgCommand command, Nid nid, params ReadOnlySpan<byte[]> buffers)
    {
        var head = Align8(LustreCfg.Size + (4 * buffers.Length));
        var total = head;
        foreach (var buffer in buffers)
        {
            total += Align8(buffer.Length);
        }

        var payload = new byte[total];
        ref var cfg = ref MemoryMarshal.AsRef<LustreCfg>(payload.AsSpan());
        cfg.Version = LustreCfg.CurrentVersion;
        cfg.Command = command;
        cfg.Nid = nid.Value;
        cfg.BufCount = (uint)buffers.Length;
        var at = head;
        for (var i = 0; i < buffers.Length; i++)
        {
            BinaryPrimitives.WriteInt32LittleEndian(payload.AsSpan(LustreCfg.Size + (4 * i)), buffers[i].Length);
            buffers[i].CopyTo(payload, at);
            at += Align8(buffers[i].Length);
        }

        return payload;
    }

    private static int Align8(int length) => (length + 7) & ~7;
}
