namespace Nacre.FileOperations;

/// <summary>Generated operations for a time.</summary>
internal interface IRun : IDisposable
{
    /// <summary>How far it is: of interest when it ends nowhere.</summary>
    string Progress { get; }

    /// <exception cref="InvalidDataException">Something was read that cannot be there.</exception>
    void Run(TimeSpan time);
}
