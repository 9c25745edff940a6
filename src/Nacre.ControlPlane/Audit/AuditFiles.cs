using System.Globalization;

namespace Nacre.ControlPlane.Audit;

/// <summary>
/// The files of the audit log: <c>audit.jsonl</c>, which grows to its bound and is then put aside as <c>audit-NUMBER.jsonl</c>, of which the newest are kept.
/// Used by one thread.
/// </summary>
internal sealed class AuditFiles(string folder, long maxFileBytes, int maxOldFiles) : IDisposable
{
    public const string Current = "audit.jsonl";

    private const string OldFiles = "audit-????????.jsonl";
    private const UnixFileMode PrivateFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private FileStream? _file;
    private long _length;
    // Something may have been written of a line that failed: the next begins on a line of its own.
    private bool _isTorn;

    /// <summary>Whole lines; on return they are with the operating system.</summary>
    /// <exception cref="IOException">They may be there in part. The next call tries anew.</exception>
    /// <exception cref="UnauthorizedAccessException">As an IOException.</exception>
    public void Append(ReadOnlySpan<byte> lines)
    {
        try
        {
            _file ??= Open();
            if (_length > 0 && _length + lines.Length > maxFileBytes)
            {
                PutAside();
                _file = Open();
            }

            if (_isTorn) _file.Write("\n"u8);
            _file.Write(lines);
            _file.Flush();
            _length += lines.Length;
            _isTorn = false;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _isTorn = true;
            Close();
            throw;
        }
    }

    public void Dispose() => Close();

    private FileStream Open()
    {
        Directory.CreateDirectory(folder, PrivateFile | UnixFileMode.UserExecute);
        var file = new FileStream(Path.Combine(folder, Current), new FileStreamOptions
        {
            Mode = FileMode.OpenOrCreate,
            Access = FileAccess.ReadWrite,
            Share = FileShare.ReadWrite | FileShare.Delete,
            UnixCreateMode = PrivateFile,
            // Each write goes to the operating system whole.
            BufferSize = 0,
        });
        // Somebody may have put a pipe there, which has no length.
        _length = file.CanSeek ? file.Length : 0;
        if (file.CanSeek) _isTorn = _length > 0 && LastByte(file) != '\n';
        return file;
    }

    /// <summary>Leaves the position at the end.</summary>
    private static int LastByte(FileStream file)
    {
        file.Seek(-1, SeekOrigin.End);
        return file.ReadByte();
    }

    private void PutAside()
    {
        _file!.Flush(flushToDisk: true);
        Close();
        _isTorn = false;
        // By number and not by time, as a clock may be set back.
        var old = Directory.GetFiles(folder, OldFiles).Order(StringComparer.Ordinal).ToList();
        old.Add(Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"audit-{NumberOf(old.LastOrDefault()) + 1:d8}.jsonl")));
        File.Move(Path.Combine(folder, Current), old[^1]);
        foreach (var path in old.SkipLast(maxOldFiles)) File.Delete(path);
    }

    private static int NumberOf(string? path) =>
        path is not null && int.TryParse(Path.GetFileNameWithoutExtension(path).AsSpan("audit-".Length), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : 0;

    private void Close()
    {
        _file?.Dispose();
        _file = null;
    }
}
