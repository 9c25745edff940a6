namespace Nacre.EndToEnd.Posix;

/// <summary>O_APPEND.</summary>
public class AppendTests(PosixMounts mounts) : PosixTests(mounts)
{
    [PosixTheory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Lines_of_two_processes_are_all_there(bool onTwoMounts)
    {
        const int Lines = 200;
        NewFile("f");
        await Task.WhenAll(WriteLinesAsync(One("f"), "one", Lines), WriteLinesAsync(onTwoMounts ? Two("f") : One("f"), "two", Lines));
        string[] read = await File.ReadAllLinesAsync(Two("f"));
        Assert.Equal(2 * Lines, read.Length);
        foreach (string who in (string[])["one", "two"])
        {
            Assert.Equal(Enumerable.Range(0, Lines).Select(i => $"{who} {i}"), read.Where(line => line.StartsWith(who)));
        }
    }

    [PosixFact]
    public void The_end_is_where_another_left_it()
    {
        using var one = Sys.Open(One("f"), Sys.WriteOnly | Sys.Create | Sys.Append);
        using var two = Sys.Open(Two("f"), Sys.WriteOnly | Sys.Append);
        for (int round = 0; round < 20; round++)
        {
            one.Append("a");
            two.Append("bb");
        }

        using var reader = Sys.Open(One("f"), Sys.ReadOnly);
        Assert.Equal(string.Concat(Enumerable.Repeat("abb", 20)), reader.Text);
        Sys.Check(Sys.Truncated(Two("f"), 1));
        one.Append("c");
        Assert.Equal("ac", reader.Text);
    }

    private static async Task WriteLinesAsync(string path, string who, int lines)
    {
        // The shell opens the file once and writes line by line.
        string script = $"i=0; while [ $i -lt {lines} ]; do echo {who} $i; i=$((i+1)); done >> '{path}'";
        using var shell = System.Diagnostics.Process.Start("/bin/sh", ["-c", script]);
        await shell.WaitForExitAsync().WaitAsync(Harness.Wait.Longest);
        Assert.Equal(0, shell.ExitCode);
    }
}
