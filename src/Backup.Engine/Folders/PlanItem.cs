using Backup.Engine.Files;

namespace Backup.Engine.Folders;

/// <summary>What a run is going to do with a path.</summary>
internal enum PlanAction
{
    /// <summary>Store a path that was never stored.</summary>
    UploadNew,

    /// <summary>Store a file whose content is another.</summary>
    UploadChanged,

    /// <summary>Hash a file of the same size whose time or id differs, and store it only if its content does.</summary>
    Rehash,

    /// <summary>Record another time, mode or link target; no content travels.</summary>
    UpdateMetadata,

    /// <summary>Delete what is no longer there.</summary>
    Delete,
}

/// <summary>One step of a plan.</summary>
/// <param name="Action">What is done.</param>
/// <param name="Entry">The path as the scan met it, or as the cache knows it where it is deleted.</param>
internal sealed record PlanItem(PlanAction Action, FileEntry Entry);

/// <summary>How much one action of a plan amounts to.</summary>
/// <param name="Count">Paths.</param>
/// <param name="Bytes">The sum of their sizes in bytes.</param>
[System.Runtime.InteropServices.StructLayout(System.Runtime.InteropServices.LayoutKind.Auto)]
internal readonly record struct PlanTotal(long Count, long Bytes);
