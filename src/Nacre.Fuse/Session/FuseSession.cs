using Microsoft.Extensions.Logging;
using Nacre.Client.Vfs;
using Nacre.Fuse.Cache;
using Nacre.Fuse.Device;

namespace Nacre.Fuse.Session;

/// <summary>
/// One mounted file system: reads the kernel's requests, hands them to an <see cref="IVfs"/> and answers. Split by families
/// of requests.
/// <para>Each reader thread runs a request up to the first wait; where there is none it answers and reads the next one,
/// without another
/// thread. Otherwise what completes the wait goes on with the request and answers. Neither allocates.</para>
/// </summary>
internal sealed partial class FuseSession : IDisposable
{
    private readonly IVfs _vfs;
    private readonly FuseOptions _options;
    private readonly ILogger _log;
    private readonly FuseDevice _device;
    private readonly NativeBufferPool _buffers;
    private readonly RequestPool _requests;
    private readonly NodeTable _nodes;
    private readonly HandleTable _files = new();
    private readonly DropLog _drops = new();
    private readonly KernelCache _cache;
    private readonly NodeBound _bound;
    private readonly InterruptWatch _interrupts;
    private readonly ProcessGroups _groups = new();
    private readonly List<FuseDevice> _clones = [];
    private readonly TaskCompletionSource _initialised = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _readers;

    public FuseSession(IVfs vfs, FuseDevice device, FuseOptions options, ILogger log)
    {
        _vfs = vfs;
        _options = options;
        _log = log;
        _device = device;
        _buffers = new NativeBufferPool(BufferLength(options), options.KeptBuffers);
        _requests = new RequestPool(_buffers);
        _nodes = new NodeTable(vfs.Root);
        _cache = new KernelCache(device, _nodes, _requests, _drops, log);
        _bound = new NodeBound(_nodes, _cache, options.MaxNodes, log);
        _interrupts = new InterruptWatch(_requests);
        vfs.KernelCache = _cache;
    }

    /// <summary>Completes when the kernel has agreed on the protocol; fails where it does not.</summary>
    public Task Initialised => _initialised.Task;

    /// <summary>Completes when the file system is no longer mounted and no thread reads any more.</summary>
    public Task Ended => _ended.Task;

    /// <summary>Minor version of the protocol 7 in use; 0 before <see cref="Initialised"/>.</summary>
    public uint Minor { get; private set; }

    public NodeTable Nodes => _nodes;

    /// <inheritdoc cref="NodeBound.IsPossible"/>
    public bool CanBoundNodes => _bound.IsPossible;

    /// <summary>Starts reading: one thread until the kernel has said hello, then all.</summary>
    public void Start() => StartReader(_device);

    public void Dispose()
    {
        _interrupts.Dispose();
        _cache.Dispose();
        foreach (var clone in _clones) clone.Dispose();
        _device.Dispose();
        _buffers.Dispose();
    }

    private void StartOtherReaders()
    {
        for (int i = 1; i < _options.ReaderThreads; i++)
        {
            var clone = _device.Clone();
            if (clone is not null) _clones.Add(clone);
            StartReader(clone ?? _device);
        }
    }

    private void StartReader(FuseDevice device)
    {
        int number = Interlocked.Increment(ref _readers);
        new Thread(() => ReadRequests(device)) { IsBackground = true, Name = $"fuse-{number}" }.Start();
    }

    /// <summary>The last reader tidies up: the kernel forgets nothing and closes nothing when it unmounts.</summary>
    private void ReaderEnded()
    {
        if (Interlocked.Decrement(ref _readers) > 0) return;
        _initialised.TrySetException(new FuseMountException("the file system was unmounted before it was ready"));
        _ = EndAsync();
    }

    private async Task EndAsync()
    {
        try
        {
            foreach (var file in _files.Clear()) await _vfs.ReleaseAsync(file).ConfigureAwait(false);
            foreach (var (node, references) in _nodes.Clear())
            {
                if (references > 0) _vfs.Forget(node, references);
            }
        }
        finally
        {
            _ended.TrySetResult();
        }
    }
}
