using System.Text.RegularExpressions;
using Nacre.EndToEnd.Captures;
using Nacre.Testing.Captures;

namespace Nacre.EndToEnd.Wireshark;

/// <summary>What the dissector complains about, by kind of message.</summary>
internal sealed partial class DissectorFindings
{
    private readonly Dictionary<string, HashSet<string>> _complaints = [];

    /// <summary>Kinds seen, with or without complaint.</summary>
    public IReadOnlyCollection<string> Kinds => _complaints.Keys;

    public async Task AddAsync(IReadOnlyList<Frame> frames)
    {
        var complaints = await Tshark.ComplaintsAsync(frames);
        var kinds = new MessageKinds();
        for (var i = 0; i < frames.Count; i++)
        {
            var kind = kinds.Of(frames[i]);
            if (!_complaints.TryGetValue(kind, out var known))
            {
                _complaints.Add(kind, known = []);
            }

            foreach (var complaint in complaints.GetValueOrDefault(i, []))
            {
                known.Add(Normalise(kind, complaint));
            }
        }
    }

    /// <summary>
    /// Complaints of this that <paramref name="genuine"/> does not show for the same kind of message. For a kind genuine traffic does not
    /// have, those it shows for the same operation count.
    /// </summary>
    public List<string> NotIn(DissectorFindings genuine)
    {
        var findings = new List<string>();
        foreach (var (kind, complaints) in _complaints)
        {
            var allowed = genuine.AllowedFor(kind);
            findings.AddRange(complaints.Where(complaint => !allowed.Contains(complaint)).Select(complaint => $"{kind}: {complaint}"));
        }

        return findings;
    }

    public override string ToString() =>
        string.Join('\n', _complaints.OrderBy(entry => entry.Key).Select(entry => $"{entry.Key}: {string.Join("; ", entry.Value)}"));

    private HashSet<string> AllowedFor(string kind)
    {
        if (_complaints.TryGetValue(kind, out var same))
        {
            return same;
        }

        var operation = kind.Split(' ')[0];
        var direction = kind.Contains(" reply") ? " reply" : " request";
        return [.. _complaints.Where(entry => entry.Key.StartsWith(operation) && entry.Key.Contains(direction)).SelectMany(entry => entry.Value)];
    }

    /// <summary>
    /// Takes out what differs from message to message. Of bytes the dissector does not know, which it reports by the position it came to, the
    /// number stays, except where the message carries data of any length: a buffer too many, or one of the wrong length, shows up there.
    /// </summary>
    private static string Normalise(string kind, string complaint)
    {
        var undissected = Undissected().Match(complaint);
        if (!undissected.Success)
        {
            return Digits().Replace(complaint, "#");
        }

        var left = int.Parse(undissected.Groups[1].Value) - int.Parse(undissected.Groups[2].Value);
        return CarriesData().IsMatch(kind) ? "data left over" : $"{left} bytes left over";
    }

    [GeneratedRegex("^(bulk|REPLY|OST_READ|OST_WRITE|LLOG_ORIGIN_HANDLE_NEXT_BLOCK)")]
    private static partial Regex CarriesData();

    [GeneratedRegex("^Capture:([0-9]+) offset:([0-9]+)")]
    private static partial Regex Undissected();

    [GeneratedRegex("(0x)?[0-9a-f]*[0-9][0-9a-f]*")]
    private static partial Regex Digits();
}
