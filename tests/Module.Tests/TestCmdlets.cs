// Compiled by AsyncCmdlet.Tests.ps1 against the module: a cmdlet that does on demand what an engine may do.
using System;
using System.Collections.Generic;
using System.Linq;
using System.Management.Automation;
using System.Runtime.CompilerServices;
using System.Threading;
using System.Threading.Tasks;
using AtlassianBackup.Pipeline;

[Cmdlet(VerbsDiagnostic.Test, "Pump", SupportsShouldProcess = true)]
public sealed class TestPumpCommand : AsyncCmdlet
{
    public static int Cancelled;
    public static int Yielded;
    public static string Continued = "";

    [Parameter(Position = 0)] public string Mode { get; set; } = "Items";
    [Parameter] public int Count { get; set; } = 1000;

    protected override void EndProcessing()
    {
        switch (Mode)
        {
            case "Items":
                RunAsync(Items, WriteObject);
                break;
            case "Threads":
                RunAsync(token => Task.WhenAll(Enumerable.Range(0, 8).Select(t => Task.Run(() =>
                {
                    for (var i = 0; i < Count; i++)
                    {
                        WriteObject(t);
                        WriteVerbose("v");
                        if (i % 100 == 0)
                            WriteWarning("w");
                    }
                }))));
                break;
            case "Hang":
                RunAsync(async token =>
                {
                    WriteObject("started");
                    try { await Task.Delay(Timeout.Infinite, token); }
                    finally { await Task.Delay(50, CancellationToken.None); Interlocked.Increment(ref Cancelled); }
                });
                break;
            case "Throw":
                RunAsync(async token => { WriteObject("before"); await Task.Yield(); throw new TimeoutException("The peer was silent."); }, "the target");
                break;
            case "Ask":
                RunAsync(async token =>
                {
                    await Task.Yield();
                    var go = await ShouldProcessAsync("thing", "Destroy");
                    Continued = Thread.CurrentThread.IsThreadPoolThread ? "pool" : "pipeline";
                    WriteObject(go);
                });
                break;
            case "Progress":
                RunAsync(async token =>
                {
                    var progress = CreateProgress<int>(i => new ProgressSnapshot("Counting", "item " + i, i * 1024L, Count * 1024L, i, Count));
                    for (var i = 0; i <= Count; i++)
                    {
                        progress.Report(i);
                        await Task.Delay(1, token);
                    }
                });
                break;
        }
    }

    private async IAsyncEnumerable<object> Items([EnumeratorCancellation] CancellationToken token)
    {
        for (var i = 0; i < Count; i++)
        {
            token.ThrowIfCancellationRequested();
            await Task.Yield();
            Interlocked.Increment(ref Yielded);
            yield return i;
        }
    }
}
