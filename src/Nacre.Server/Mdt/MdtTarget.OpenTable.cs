using System.Security.Cryptography;
using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;
using Nacre.Server.Mdt.FileSystem;

namespace Nacre.Server.Mdt;

/// <summary>Open handles (05 section 7.1).</summary>
public sealed partial class MdtTarget
{
    private int _openFiles;

    /// <summary>Lists a file that the store has just counted as open. Under the gate, in the same step. When the client is
    /// gone meanwhile the open is taken back: ENOTCONN.</summary>
    /// <returns>The cookie: random, so that a stale one of another life of this server is never somebody's handle.</returns>
    private ulong AddOpenFile(Export export, LuFid fid, OpenMode mode)
    {
        var state = StateOf(export);
        if (state.Closed || state.OpenFiles.Count >= _options.MaxOpenFilesPerClient)
        {
            _fs.Close(fid, mode, null);
            throw new FsException(state.Closed ? Errno.ENOTCONN : Errno.EMFILE);
        }
        ulong cookie;
        Span<byte> random = stackalloc byte[sizeof(ulong)];
        do
        {
            RandomNumberGenerator.Fill(random);
            cookie = BitConverter.ToUInt64(random);
        }
        while (cookie is 0 or ulong.MaxValue || !state.OpenFiles.TryAdd(cookie, new OpenFile(fid, mode)));
        Interlocked.Increment(ref _openFiles);
        return cookie;
    }

    /// <summary>Takes a handle out of the list; false for an unknown or already closed one. Under the gate.</summary>
    private bool TryRemoveOpenFile(Export export, ulong cookie, out OpenFile file)
    {
        if (!StateOf(export).OpenFiles.Remove(cookie, out file))
            return false;
        Interlocked.Decrement(ref _openFiles);
        EndLease(file.Fid, cookie);
        return true;
    }

    private void CloseAllFiles(Export export)
    {
        if (export.ServiceState is not MdtExportState state)
            return;
        lock (_store.Gate)
        {
            state.Closed = true;
            foreach (var (cookie, file) in state.OpenFiles)
            {
                _fs.Close(file.Fid, file.Mode, null);
                EndLease(file.Fid, cookie);
            }
            Interlocked.Add(ref _openFiles, -state.OpenFiles.Count);
            state.OpenFiles.Clear();
        }
        _destroyer.Wake();
    }
}
