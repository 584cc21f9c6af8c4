using System.Text.Json.Nodes;

namespace Backup.Host.Lambda;

/// <summary>What a function does with an event. It is made once, from the environment, and then given one event after the other.</summary>
internal interface IFunction
{
    /// <summary>Handles an event.</summary>
    /// <param name="invocation">The event.</param>
    /// <param name="cancellationToken">Cancelled a while before Lambda would end the process.</param>
    /// <returns>The answer.</returns>
    /// <exception cref="Engine.BackupException">It was not handled, or not all of it.</exception>
    Task<JsonNode> HandleAsync(Invocation invocation, CancellationToken cancellationToken);
}
