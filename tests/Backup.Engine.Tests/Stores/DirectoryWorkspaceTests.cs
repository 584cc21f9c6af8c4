using Backup.Engine.Stores.Directories;

namespace Backup.Engine.Tests.Stores;

public sealed class DirectoryWorkspaceTests
{
    [Fact]
    public void Of_many_that_begin_at_once_none_takes_another_one_for_a_leftover()
    {
        var root = Directory.CreateTempSubdirectory("workspaces-").FullName;
        try
        {
            // Each cleans up as it begins, while the others are just beginning.
            Parallel.For(0, 2000, new ParallelOptions { MaxDegreeOfParallelism = 8 }, _ =>
            {
                using var workspace = DirectoryWorkspace.Create(root);
                var file = workspace.NewFile();
                File.WriteAllText(file, "x");
                Thread.Yield();
                File.Exists(file).ShouldBeTrue();
            });
            Directory.EnumerateFileSystemEntries(root).ShouldBeEmpty();
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }
}
