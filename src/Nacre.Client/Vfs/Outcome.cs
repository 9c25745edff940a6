using System.Diagnostics.CodeAnalysis;
using Nacre.PtlRpc;

namespace Nacre.Client.Vfs;

/// <summary>
/// The result of a file operation: a value, or a positive Linux errno. Refusals such as ENOENT are ordinary results of a file system and
/// many; as exceptions they would cost more than the operation.
/// </summary>
[SuppressMessage("Design", "CA1000", Justification = "Built by the implicit conversions.")]
public readonly struct Outcome<T>
{
    private readonly T _value;

    private Outcome(T value, int errno)
    {
        _value = value;
        Errno = errno;
    }

    /// <summary>0, or a positive number of <see cref="PtlRpc.Wire.Errno"/>.</summary>
    public int Errno { get; }

    public bool IsOk => Errno == 0;

    /// <exception cref="ErrnoException">The operation failed.</exception>
    public T Value => Errno == 0 ? _value : throw new ErrnoException(Errno);

    /// <summary>For interfaces, which have no implicit conversion.</summary>
    public static Outcome<T> Of(T value) => new(value, 0);

    public static implicit operator Outcome<T>(T value) => new(value, 0);

    public static implicit operator Outcome<T>(Failure failure) => new(default!, failure.Errno);
}

/// <summary>A positive errno on its way into an <see cref="Outcome{T}"/>: <c>return new Failure(Errno.ENOENT)</c>.</summary>
public readonly record struct Failure(int Errno);

/// <summary>The value of an operation that only succeeds or fails.</summary>
public readonly record struct Done;
