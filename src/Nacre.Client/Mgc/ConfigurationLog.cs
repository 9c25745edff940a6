using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Extensions.Logging;
using Nacre.LNet;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.Client.Mgc;

/// <summary>A target the configuration names.</summary>
/// <param name="Uuid">Such as <c>demo01-OST0000_UUID</c>.</param>
/// <param name="Nodes">Where it may be, best first.</param>
internal sealed record ConfiguredTarget(string Uuid, int Index, bool IsMdt, IReadOnlyList<Nid> Nodes, bool IsActive);

/// <summary>
/// What the records of a file system's client log add up to (04 section 6). Fed record by record, over all readings of the log: the state of
/// the markers stays between them. Not safe for several threads.
/// </summary>
internal sealed partial class ConfigurationLog(ILogger log)
{
    /// <summary>More than these many targets, labels or parameters are taken for a damaged log.</summary>
    private const int MaxEntries = 65536;

    private readonly Dictionary<string, List<Nid>> _labels = [];
    private readonly Dictionary<string, Device> _devices = [];
    private bool _inBlock;
    private bool _skipping;
    private bool _excluding;

    /// <summary>Index of the last record taken.</summary>
    public uint LastIndex { get; private set; }

    /// <summary>MOUNTOPT has named this log's profile.</summary>
    public bool HasProfile { get; private set; }

    /// <summary>In the order they were added.</summary>
    public List<ConfiguredTarget> Targets { get; } = [];

    /// <summary>Parameters set: device (or empty) and <c>key=value</c>, in order.</summary>
    public List<(string Device, string Setting)> Parameters { get; } = [];

    /// <summary>Records of one chunk, padding included; those taken before are skipped.</summary>
    /// <exception cref="RpcException">EINVAL: damaged, or a required command that cannot be executed.</exception>
    public void Take(ReadOnlySpan<byte> chunk)
    {
        while (chunk.Length >= LlogRecHdr.Size)
        {
            var record = MemoryMarshal.Read<LlogRecHdr>(chunk);
            if (record.Len < LlogRecHdr.Size + LlogRecTail.Size || record.Len > chunk.Length || record.Index >= LlogFormat.BitmapBits)
            {
                throw new RpcException(Errno.EINVAL, message: $"the log's record {record.Index} has {record.Len} bytes");
            }

            if (record.Index > LastIndex)
            {
                LastIndex = record.Index;
                if (record.Type == LlogRecordType.Configuration)
                {
                    Take(new ConfigurationCommand(chunk[LlogRecHdr.Size..((int)record.Len - LlogRecTail.Size)]));
                }
            }

            chunk = chunk[(int)record.Len..];
        }
    }

    private void Take(ConfigurationCommand command)
    {
        if (command.Code == LcfgCommand.Marker)
        {
            TakeMarker(command);
        }
        else if (_inBlock && !_skipping)
        {
            Execute(command);
        }
    }

    private void TakeMarker(ConfigurationCommand command)
    {
        var bytes = command.Bytes(1);
        if (bytes.Length < sizeof(uint) * 2)
        {
            throw new RpcException(Errno.EINVAL, message: "a marker of the configuration log is too short");
        }

        var flags = (CfgMarkerFlags)MemoryMarshal.Read<uint>(bytes[sizeof(uint)..]);
        _inBlock = (flags & CfgMarkerFlags.Start) != 0;
        _skipping = (flags & CfgMarkerFlags.Skip) != 0;
        _excluding = (flags & CfgMarkerFlags.Exclude) != 0;
    }

    private void Execute(ConfigurationCommand command)
    {
        switch (command.Code)
        {
            case LcfgCommand.AddUuid:
                AddNid(command.Text(1), new Nid(command.Header.Nid));
                break;
            case LcfgCommand.DelUuid:
                _labels.Remove(command.Text(1));
                break;
            case LcfgCommand.Attach:
                Add(_devices, command.Text(0), new Device());
                break;
            case LcfgCommand.Setup:
                DeviceOf(command).Setup(command.Text(1), command.Text(2));
                break;
            case LcfgCommand.AddConn:
                DeviceOf(command).AddLabel(command.Text(1), first: command.Header.Num != 0);
                break;
            case LcfgCommand.MountOpt:
                HasProfile = true;
                break;
            case LcfgCommand.AddMdc:
                AddTarget(command, isMdt: true, isActive: true);
                break;
            case LcfgCommand.LovAddObd:
                AddTarget(command, isMdt: false, isActive: !_excluding);
                break;
            case LcfgCommand.LovAddInactive:
                AddTarget(command, isMdt: false, isActive: false);
                break;
            case LcfgCommand.Param:
                SetParameter(command.Text(0), command.Text(1));
                break;
            default:
                if (command.IsRequired && command.Code is not LcfgCommand.Detach)
                {
                    LogUnknown(log, command.Code);
                }

                break;
        }
    }

    private void AddNid(string label, Nid nid)
    {
        if (!_labels.TryGetValue(label, out var nids))
        {
            Add(_labels, label, nids = []);
        }

        if (!nids.Contains(nid) && nids.Count < MaxEntries)
        {
            nids.Add(nid);
        }
    }

    private Device DeviceOf(ConfigurationCommand command) => _devices.TryGetValue(command.Text(0), out var device)
        ? device
        : throw new RpcException(Errno.EINVAL, message: $"the configuration sets up '{command.Text(0)}' without having attached it");

    private void AddTarget(ConfigurationCommand command, bool isMdt, bool isActive)
    {
        var uuid = command.Text(1);
        if (!int.TryParse(command.Text(2), NumberStyles.None, CultureInfo.InvariantCulture, out var index) || index > ushort.MaxValue)
        {
            throw new RpcException(Errno.EINVAL, message: $"the configuration adds '{uuid}' at '{command.Text(2)}'");
        }

        if (Targets.Any(known => known.IsMdt == isMdt && known.Index == index))
        {
            return;
        }

        var device = _devices.Values.FirstOrDefault(candidate => candidate.Uuid == uuid);
        var nodes = device is null ? [] : device.Labels.SelectMany(NidsOf).Where(nid => nid.IsTcp).Distinct().ToList();
        if (nodes.Count == 0 || Targets.Count >= MaxEntries)
        {
            throw new RpcException(Errno.EINVAL, message: $"the configuration gives no TCP address of '{uuid}'");
        }

        Targets.Add(new ConfiguredTarget(uuid, index, isMdt, nodes, isActive));
    }

    private IEnumerable<Nid> NidsOf(string label) => _labels.TryGetValue(label, out var nids) ? nids : [];

    /// <summary>Only <c>osc.active</c> changes what is mounted; the others are for whom they concern to look up.</summary>
    private void SetParameter(string device, string setting)
    {
        if (Parameters.Count >= MaxEntries)
        {
            return;
        }

        Parameters.Add((device, setting));
        if (setting is not ("osc.active=0" or "osc.active=1") || !_devices.TryGetValue(device, out var known))
        {
            return;
        }

        var at = Targets.FindIndex(target => target.Uuid == known.Uuid);
        if (at >= 0)
        {
            Targets[at] = Targets[at] with { IsActive = setting[^1] == '1' };
        }
    }

    private static void Add<T>(Dictionary<string, T> to, string key, T value)
    {
        if (to.Count >= MaxEntries)
        {
            throw new RpcException(Errno.EINVAL, message: "the configuration log is too large");
        }

        to.TryAdd(key, value);
    }

    [LoggerMessage(4010, LogLevel.Warning, "the configuration has a required command {Command} that is unknown here; it is left out")]
    private static partial void LogUnknown(ILogger log, LcfgCommand command);

    /// <summary>What ATTACH, SETUP and ADD_CONN say of an mdc or osc.</summary>
    private sealed class Device
    {
        public string Uuid { get; private set; } = "";

        public List<string> Labels { get; } = [];

        public void Setup(string uuid, string label)
        {
            Uuid = uuid;
            AddLabel(label, first: true);
        }

        public void AddLabel(string label, bool first)
        {
            if (label.Length > 0 && !Labels.Contains(label) && Labels.Count < MaxEntries)
            {
                Labels.Insert(first ? 0 : Labels.Count, label);
            }
        }
    }
}

/// <summary>Names of logs and of the locks that guard them (04 sections 1.5 and 8.1).</summary>
internal static class LogNames
{
    public const ulong ConfigurationType = 0;
    public const ulong RecoverType = 2;
    public const ulong ParametersType = 3;

    public static Ldlm.Wire.LdlmResId ResourceOf(string name, ulong type)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        bytes.Clear();
        Encoding.ASCII.GetBytes(name, bytes);
        return new Ldlm.Wire.LdlmResId(MemoryMarshal.Read<ulong>(bytes), type);
    }
}
