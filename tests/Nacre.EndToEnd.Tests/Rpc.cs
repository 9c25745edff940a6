using Nacre.PtlRpc;
using Nacre.PtlRpc.Wire;

namespace Nacre.EndToEnd;

internal static class Rpc
{
    /// <summary>Expects a refusal with this errno.</summary>
    public static async Task RefusedAsync(int errno, Func<Task> operation)
    {
        var refusal = await Assert.ThrowsAsync<RpcException>(operation);
        Assert.Equal(Errno.Name(errno), Errno.Name(refusal.Errno));
    }
}
