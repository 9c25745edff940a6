using System.Text;
using Nacre.LNet;
using Nacre.PtlRpc.Wire;

namespace Nacre.Server.Mgs;

/// <summary>
/// Writes what a client's configuration log says of a file system, in blocks of records between two markers (04 section 7). The order
/// inside a block, and lov and lmv before any mdc or osc, is what clients depend on.
/// </summary>
internal sealed class ClientLogWriter(string fileSystem, ConfigLog log, TimeProvider time)
{
    /// <summary>2.15.8, the release whose behaviour we follow.</summary>
    private const uint WriterVersion = 0x020f_0800;

    private readonly string _lov = fileSystem + "-clilov";
    private readonly string _lmv = fileSystem + "-clilmv";

    /// <summary>The three blocks every log starts with.</summary>
    public void AddFileSystem()
    {
        var profile = fileSystem + "-client";
        var lovDescriptor = new LovDesc
        {
            ActiveTargetCountOrMagic = LovDesc.Magic,
            DefaultStripeCount = 1,
            Pattern = 1,
            DefaultStripeSize = 1 << 20,
            DefaultStripeOffset = -1,
            QosMaxAge = 5,
            Uuid = ObdUuid.FromString(_lov + "_UUID"),
        };
        var lmvDescriptor = new LmvDesc { Uuid = ObdUuid.FromString(_lmv + "_UUID") };
        Block(_lov, "lov setup", ConfigRecord.Attach(_lov, "lov", _lov + "_UUID"), ConfigRecord.Setup(_lov, lovDescriptor));
        Block(_lmv, "lmv setup", ConfigRecord.Attach(_lmv, "lmv", _lmv + "_UUID"), ConfigRecord.Setup(_lmv, lmvDescriptor));
        Block(profile, "mount opts", ConfigRecord.MountOption(profile, _lov, _lmv));
    }

    /// <param name="failover">Other nodes that may serve the target, in the order in which clients try them.</param>
    public void AddMdt(int index, Nid nid, params ReadOnlySpan<Nid> failover)
    {
        var target = $"{fileSystem}-MDT{index:x4}";
        var device = target + "-mdc";
        var records = Connections(device, "mdc", _lmv + "_UUID", target + "_UUID", nid, failover);
        records.Add(ConfigRecord.AddMdc(_lmv, target + "_UUID", index, device + "_UUID"));
        Block(target, "add mdc", [.. records]);
    }

    /// <inheritdoc cref="AddMdt"/>
    public void AddOst(int index, Nid nid, params ReadOnlySpan<Nid> failover)
    {
        var target = $"{fileSystem}-OST{index:x4}";
        var device = target + "-osc";
        var records = Connections(device, "osc", _lov + "_UUID", target + "_UUID", nid, failover);
        records.Add(ConfigRecord.LovAddObd(_lov, target + "_UUID", index));
        Block(target, "add osc", [.. records]);
    }

    private static List<byte[]> Connections(
        string device, string type, string parentUuid, string targetUuid, Nid nid, ReadOnlySpan<Nid> failover)
    {
        List<byte[]> records =
        [
            ConfigRecord.AddUuid(nid.ToString(), nid),
            ConfigRecord.Attach(device, type, parentUuid),
            ConfigRecord.Setup(device, targetUuid, nid.ToString()),
        ];
        foreach (var other in failover)
        {
            records.Add(ConfigRecord.AddUuid(other.ToString(), other));
            records.Add(ConfigRecord.AddConn(device, other.ToString()));
        }

        return records;
    }

    /// <summary>
    /// Sets a parameter, for instance <c>osc.max_dirty_mb</c> of device <c>demo-OST0000-osc</c>. The block that set it before is
    /// marked as skipped, since a second one would be executed after it at each mount (04 section 6.6).
    /// </summary>
    /// <param name="device">What the parameter is about; null for <c>sys.</c> parameters.</param>
    public void SetParameter(string? device, string key, string value)
    {
        var target = device ?? fileSystem;
        SkipBlocks(target, key);
        Block(target, key, ConfigRecord.Param(device, $"{key}={value}"));
    }

    private void SkipBlocks(string target, string comment)
    {
        var now = time.GetUtcNow().ToUnixTimeSeconds();
        log.EditMarkers((ref CfgMarker marker) =>
        {
            if (!marker.Flags.HasFlag(CfgMarkerFlags.Skip) && TextIs(marker.TargetName, target) && TextIs(marker.Comment, comment))
            {
                marker.Flags |= CfgMarkerFlags.Skip;
                marker.CancelTime = now;
            }
        });
    }

    private void Block(string target, string comment, params ReadOnlySpan<byte[]> records)
    {
        var marker = new CfgMarker
        {
            Step = NextStep(),
            Flags = CfgMarkerFlags.Start,
            Vers = WriterVersion,
            CreateTime = time.GetUtcNow().ToUnixTimeSeconds(),
        };
        SetText(ref marker.TargetName, target);
        SetText(ref marker.Comment, comment);
        log.Append(ConfigRecord.Marker(marker));
        foreach (var record in records)
        {
            log.Append(record);
        }

        marker.Flags = CfgMarkerFlags.End;
        log.Append(ConfigRecord.Marker(marker));
    }

    private uint NextStep()
    {
        uint last = 0;
        log.EditMarkers((ref CfgMarker marker) => last = Math.Max(last, marker.Step));
        return last + 1;
    }

    private static void SetText(ref Name64 field, string text)
    {
        if (text.Length >= Name64.Length)
        {
            throw new ArgumentException($"'{text}' is longer than {Name64.Length - 1} characters", nameof(text));
        }

        Encoding.ASCII.GetBytes(text, field);
    }

    private static bool TextIs(in Name64 field, string text)
    {
        ReadOnlySpan<byte> bytes = field;
        var end = bytes.IndexOf((byte)0);
        return Encoding.ASCII.GetString(end < 0 ? bytes : bytes[..end]) == text;
    }
}
