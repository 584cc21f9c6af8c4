namespace Backup.Engine.Tests.Files;

/// <summary>A directory that ends with the test.</summary>
internal sealed class TempFolder : IDisposable
{
    public string Root { get; } = Directory.CreateTempSubdirectory("folders-test-").FullName;

    public string this[string name] => Path.Combine(Root, name);

    public string Write(string name, string content = "content")
    {
        var file = this[name];
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, content);
        return file;
    }

    public void Dispose()
    {
        // rm knows names that .NET cannot say.
        if (OperatingSystem.IsWindows())
            Directory.Delete(Root, recursive: true);
        else
            System.Diagnostics.Process.Start("rm", ["-rf", Root]).WaitForExit();
    }
}
