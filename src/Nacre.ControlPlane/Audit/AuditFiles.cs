using System.Globalization;

namespace Nacre.ControlPlane.Audit;

/// <summary>
/// The files of the audit log: <c>audit.jsonl</c>, which grows to its bound and is then put aside as <c>audit-TIME.jsonl</c>, of which the newest are kept.
/// Used by one thread.
/// </summary>
internal sealed class AuditFiles(string folder, long maxFileBytes, int maxOldFiles, TimeProvider time) : IDisposable
{
    public const string Current = "audit.jsonl";

    private const string OldFiles = "audit-*.jsonl";
    private const UnixFileMode PrivateFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private FileStream? _file;
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
            if (_file.Length > 0 && _file.Length + lines.Length > maxFileBytes)
            {
                PutAside();
                _file = Open();
            }

            if (_isTorn) _file.Write("\n"u8);
            _file.Write(lines);
            _file.Flush();
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
        if (file.Length > 0)
        {
            file.Seek(-1, SeekOrigin.End);
            _isTorn = file.ReadByte() != '\n';
        }

        file.Seek(0, SeekOrigin.End);
        return file;
    }

    private void PutAside()
    {
        _file!.Flush(flushToDisk: true);
        Close();
        _isTorn = false;
        File.Move(Path.Combine(folder, Current), UnusedName());
        // Their names sort as their times do.
        var old = Directory.GetFiles(folder, OldFiles).Order(StringComparer.Ordinal).ToArray();
        foreach (var path in old.SkipLast(maxOldFiles)) File.Delete(path);
    }

    private string UnusedName()
    {
        var now = time.GetUtcNow();
        while (true)
        {
            var path = Path.Combine(folder, $"audit-{now.UtcDateTime.ToString("yyyyMMdd'T'HHmmss.fff'Z'", CultureInfo.InvariantCulture)}.jsonl");
            if (!File.Exists(path)) return path;
            now += TimeSpan.FromMilliseconds(1);
        }
    }

    private void Close()
    {
        _file?.Dispose();
        _file = null;
    }
}
