using System.Runtime.InteropServices;
using System.Text;
using Nacre.PtlRpc.Wire;

namespace Nacre.Server.Mdt.Hsm;

/// <summary>The list of actions sent to a copytool's client (07 sections 2.7, 2.8 and 5.4).</summary>
internal static class HsmMessage
{
    /// <summary>Largest list a client takes, bytes (07 section 5.4).</summary>
    public const int MaxBytes = 5120;

    /// <summary>First buffer of the message: <c>hsm_send</c> with its NUL.</summary>
    public static readonly byte[] Key = [.. "hsm_send\0"u8];

    /// <summary>Bytes of a list without items.</summary>
    public static int HeadSize(string fileSystem) => KucHeader.Size + HsmActionList.Size + RoundUp(Encoding.ASCII.GetByteCount(fileSystem) + 1);

    /// <summary>Bytes one item takes.</summary>
    public static int ItemSize(HsmAction action) => RoundUp(HsmActionItem.Size + action.Data.Length);

    /// <summary>Encodes a list; all items belong to one archive and have the same flags.</summary>
    public static byte[] Encode(string fileSystem, IReadOnlyList<HsmAction> actions, HsmCopytoolAction? instead = null)
    {
        int length = HeadSize(fileSystem) + actions.Sum(ItemSize);
        var message = new byte[length];
        MemoryMarshal.Write(message, new KucHeader
        {
            Magic = KucHeader.HsmMagic,
            Transport = KucHeader.HsmTransport,
            MessageType = KucHeader.ActionList,
            MessageLength = (ushort)length,
        });
        MemoryMarshal.Write(message.AsSpan(KucHeader.Size), new HsmActionList
        {
            Version = HsmActionList.CurrentVersion,
            Count = (uint)actions.Count,
            Flags = actions[0].Flags,
            ArchiveId = actions[0].ArchiveId,
        });
        Encoding.ASCII.GetBytes(fileSystem, message.AsSpan(KucHeader.Size + HsmActionList.Size));
        var to = message.AsSpan(HeadSize(fileSystem));
        foreach (var action in actions)
        {
            MemoryMarshal.Write(to, new HsmActionItem
            {
                Length = (uint)(HsmActionItem.Size + action.Data.Length),
                Action = instead ?? action.CopytoolAction,
                Fid = action.Fid,
                DataFid = action.Fid,
                Extent = HsmExtent.Whole,
                Cookie = action.Cookie,
            });
            action.Data.CopyTo(to[HsmActionItem.Size..]);
            to = to[ItemSize(action)..];
        }
        return message;
    }

    private static int RoundUp(int bytes) => (bytes + 7) & ~7;
}
