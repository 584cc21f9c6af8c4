BeforeAll {
    . $PSScriptRoot/Common.ps1
    Import-Module $ModulePath
    $dll = Join-Path $ModuleBin AtlassianBackup.dll
    $types = Add-Type -Path $PSScriptRoot/TestCmdlets.cs -ReferencedAssemblies $dll, System.Collections, System.Linq, System.Threading, System.Threading.Thread, System.Threading.Tasks, System.Runtime, System.Management.Automation -CompilerOptions '/nowarn:CS1701' -IgnoreWarnings -PassThru
    Import-Module -Assembly $types[0].Assembly
    # A shell of its own, with no user interface at all.
    function New-Shell([string] $Script) {
        $state = [System.Management.Automation.Runspaces.InitialSessionState]::CreateDefault2()
        $state.Commands.Add([System.Management.Automation.Runspaces.SessionStateCmdletEntry]::new('Test-Pump', [TestPumpCommand], $null))
        [powershell]::Create($state).AddScript($Script)
    }
}

Describe 'The asynchronous base' {
    It 'writes every item in order' {
        $items = Test-Pump -Count 5000
        $items.Count | Should -Be 5000
        $items[0], $items[4999] | Should -Be 0, 4999
    }

    It 'takes words from many threads at once' {
        $all = Test-Pump Threads -Count 500 -Verbose 4>&1 3>&1
        @($all | Where-Object { $_ -is [int] }).Count | Should -Be 4000
        @($all | Where-Object { $_ -is [System.Management.Automation.VerboseRecord] }).Count | Should -Be 4000
        @($all | Where-Object { $_ -is [System.Management.Automation.WarningRecord] }).Count | Should -Be 40
    }

    It 'makes work wait for a slow pipeline' {
        [TestPumpCommand]::Yielded = 0
        Test-Pump -Count 5000 | ForEach-Object -Begin { $seen = 0 } -Process { $seen++; if ($seen -eq 10) { Start-Sleep -Milliseconds 300; $ahead = [TestPumpCommand]::Yielded } }
        $ahead | Should -BeLessThan 400
    }

    It 'ends with the mapped error of the work, after what was written before' {
        $written = @()
        try { Test-Pump Throw -OutVariable written } catch { $record = $_ }
        $written | Should -Be before
        $record.FullyQualifiedErrorId | Should -Be 'TimedOut,TestPumpCommand'
        $record.CategoryInfo.Category | Should -Be OperationTimeout
        $record.TargetObject | Should -Be 'the target'
    }

    It 'stops at once, and waits for the work to tidy up' {
        [TestPumpCommand]::Cancelled = 0
        $shell = New-Shell 'Test-Pump Hang'
        $output = [System.Management.Automation.PSDataCollection[psobject]]::new()
        $none = [System.Management.Automation.PSDataCollection[psobject]]::new()
        $none.Complete()
        $running = $shell.BeginInvoke($none, $output)
        for ($i = 0; $i -lt 100 -and $output.Count -eq 0; $i++) { Start-Sleep -Milliseconds 50 }
        # By index: enumerating the collection would wait for the end.
        $output[0] | Should -Be started
        $clock = [System.Diagnostics.Stopwatch]::StartNew()
        $shell.Stop()
        $clock.Elapsed.TotalSeconds | Should -BeLessThan 3
        [TestPumpCommand]::Cancelled | Should -Be 1
        { $shell.EndInvoke($running) } | Should -Throw '*stopped*'
        $shell.InvocationStateInfo.State | Should -Be Stopped
        $shell.Dispose()
    }

    It 'cancels work that nobody wants any more of' {
        [TestPumpCommand]::Yielded = 0
        Test-Pump -Count 1000000 | Select-Object -First 3 | Should -Be 0, 1, 2
        [TestPumpCommand]::Yielded | Should -BeLessThan 2000
    }

    It 'asks on the pipeline thread, and goes on elsewhere' {
        Test-Pump Ask | Should -BeTrue
        [TestPumpCommand]::Continued | Should -Be pool
        Test-Pump Ask -WhatIf | Should -BeFalse
    }

    It 'reports progress at most five times a second, and takes the bar away' {
        $shell = New-Shell 'Test-Pump Progress -Count 600'
        $clock = [System.Diagnostics.Stopwatch]::StartNew()
        $null = $shell.Invoke()
        $seconds = $clock.Elapsed.TotalSeconds
        $records = $shell.Streams.Progress
        $shell.HadErrors | Should -BeFalse
        $records.Count | Should -BeGreaterThan 2
        $records.Count | Should -BeLessOrEqual ([math]::Ceiling($seconds * 5) + 2)
        $records[-1].RecordType | Should -Be Completed
        $late = $records[-2]
        $late.Activity | Should -Be Counting
        $late.StatusDescription | Should -Match '^\d+ of 600 items, [\d.]+ KiB of 600\.0 KiB, [\d.]+ [KM]?i?B/s$'
        $late.PercentComplete | Should -BeGreaterThan 20
        $late.SecondsRemaining | Should -BeGreaterOrEqual 0
    }
}

Describe 'The logger that the engine gets' {
    BeforeAll {
        try { Get-BackupRun s3://X } catch { $engine = $_.Exception.GetType().Assembly }
        $options = [activator]::CreateInstance($engine.GetType('Backup.Engine.Stores.StoreOptions'))
        $said = [System.Collections.Generic.List[string]]::new()
        $logger = [activator]::CreateInstance($engine.GetType('Backup.Engine.CallbackLogger'), 2, [Action[int, string]] { param($level, $message) $said.Add("$level $message") })
        $interface = $options.GetType().GetProperty('Logger').PropertyType
        $extensions = $interface.Assembly.GetType('Microsoft.Extensions.Logging.LoggerExtensions')
        function Write-Log($Method, $Text, [object[]] $Values) {
            $extensions.GetMethods().Where{ $_.Name -eq $Method -and $_.GetParameters().Count -eq 3 }[0].Invoke($null, @($logger, $Text, $Values))
        }
    }

    It 'is an ILogger of the engine that formats messages and heeds the level' {
        $interface.IsInstanceOfType($logger) | Should -BeTrue
        Write-Log LogWarning 'Retrying {Key} after {Delay} s' 'a/b', 3
        Write-Log LogInformation 'Found {Count}' 7
        Write-Log LogDebug 'unheard' @()
        $said | Should -Be '3 Retrying a/b after 3 s', '2 Found 7'
    }
}
