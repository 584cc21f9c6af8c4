namespace Backup.Engine.Files;

/// <summary>A file that is being restored under a temporary name beside its own. Disposing it without <see cref="Commit"/> removes it.</summary>
internal abstract class TargetFile(FileStream stream) : IDisposable
{
    private bool _settled;

    /// <summary>Where the content goes.</summary>
    public FileStream Stream { get; } = stream;

    /// <summary>Sets time and mode and gives the file its name, in place of a file or link that has it now.</summary>
    /// <param name="modifiedTicks">When the content was modified, in UTC ticks; null for now.</param>
    /// <param name="mode">Unix permission bits, as <see cref="FileTree.SetMode"/> takes them; null for the system's default.</param>
    public void Commit(long? modifiedTicks = null, int? mode = null)
    {
        Stream.Flush();
        Finish(modifiedTicks, mode);
        _settled = true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        try
        {
            Stream.Dispose();
        }
        finally
        {
            if (!_settled)
                Discard();
            _settled = true;
            Close();
            GC.SuppressFinalize(this);
        }
    }

    /// <summary>Sets time and mode and renames.</summary>
    protected abstract void Finish(long? modifiedTicks, int? mode);

    /// <summary>Removes the temporary file; failures are of no interest.</summary>
    protected abstract void Discard();

    /// <summary>Lets go of what was held besides the stream.</summary>
    protected virtual void Close()
    {
    }
}
