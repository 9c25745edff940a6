using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Nacre.ControlPlane.Api;
using Nacre.ControlPlane.Shapes;

namespace Nacre.ControlPlane.Operations;

/// <summary>
/// NextToken: the position a listing goes on from, signed together with what is listed and for whom, in base64. A token made up, changed, or
/// used for another listing is refused; one whose items are gone stays good.
/// </summary>
/// <param name="key">Secret of the catalog.</param>
internal sealed class PageTokens(byte[] key)
{
    private const int PositionLength = 8;
    private const int SignatureLength = 16;

    /// <param name="listing">Names what is listed and for whom.</param>
    public string Write(string listing, long position)
    {
        byte[] token = new byte[PositionLength + SignatureLength];
        BinaryPrimitives.WriteInt64BigEndian(token, position);
        Sign(listing, token.AsSpan(0, PositionLength)).CopyTo(token.AsSpan(PositionLength));
        return Convert.ToBase64String(token);
    }

    /// <returns>The position; 0, the beginning, for a token that is null.</returns>
    /// <exception cref="ApiException">BadRequest: not a token of this listing.</exception>
    public long Read(string listing, string? token)
    {
        if (token is null)
        {
            return 0;
        }
        Span<byte> bytes = stackalloc byte[PositionLength + SignatureLength];
        bool isToken = Convert.TryFromBase64String(token, bytes, out int length) && length == bytes.Length
            && CryptographicOperations.FixedTimeEquals(bytes[PositionLength..], Sign(listing, bytes[..PositionLength]));
        return isToken
            ? BinaryPrimitives.ReadInt64BigEndian(bytes)
            : throw new ApiException(ErrorCode.BadRequest, "The NextToken is not one of an earlier answer to the same request.");
    }

    private ReadOnlySpan<byte> Sign(string listing, ReadOnlySpan<byte> position)
    {
        using var hash = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key);
        hash.AppendData(position);
        hash.AppendData(Encoding.UTF8.GetBytes(listing));
        return hash.GetHashAndReset().AsSpan(0, SignatureLength);
    }
}
