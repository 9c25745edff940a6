namespace Nacre.FileOperations;

/// <summary>One path of the file under test, opened in the four ways that take different paths through kernel and client.</summary>
internal sealed class OpenedFile : IDisposable
{
    private readonly string _path;

    public OpenedFile(string path)
    {
        _path = path;
        Open();
    }

    public int Reader { get; private set; }

    public int Writer { get; private set; }

    public int Appender { get; private set; }

    public int Direct { get; private set; }

    public void Reopen()
    {
        Dispose();
        Open();
    }

    public void Dispose()
    {
        FileCalls.Close(Reader);
        FileCalls.Close(Writer);
        FileCalls.Close(Appender);
        FileCalls.Close(Direct);
    }

    private void Open()
    {
        Reader = FileCalls.Open(_path, FileCalls.ReadOnly);
        Writer = FileCalls.Open(_path, FileCalls.ReadWrite);
        Appender = FileCalls.Open(_path, FileCalls.ReadWrite | FileCalls.Append);
        Direct = FileCalls.Open(_path, FileCalls.ReadWrite | FileCalls.Direct);
    }
}
