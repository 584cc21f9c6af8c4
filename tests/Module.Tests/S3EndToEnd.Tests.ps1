BeforeDiscovery {
    $HasMoto = [bool](Get-Command moto_server -CommandType Application -ErrorAction SilentlyContinue)
    $Servers = @(@{ Name = 'the strict S3' }) + ($HasMoto ? @{ Name = 'moto_server' } : @())
}

BeforeAll {
    . $PSScriptRoot/Common.ps1
    . $PSScriptRoot/Servers.ps1
    Import-Module $ModulePath
    $Root = (Get-Item TestDrive:/).FullName
}

Describe 'moto_server' {
    It 'is there' {
        if (Get-Command moto_server -CommandType Application -ErrorAction SilentlyContinue) { return }
        if ($env:CI -eq 'true') { throw "moto_server is not on the PATH, and under CI it must be: pip install 'moto[server]'." }
        Set-ItResult -Skipped -Because "moto_server is not on the PATH: pip install 'moto[server]'"
    }
}

Describe 'A folder on <Name>, there and back' -ForEach $Servers {
    BeforeAll {
        $Strict = $Name -eq 'the strict S3'
        $Server = $Strict ? (Start-StrictS3 '--bucket', 'backup') : (Start-Moto backup)
        $S3 = @{ EndpointUrl = $Server.Url; Credential = $Keys; Region = 'us-east-1' }
        $Here = New-Item -ItemType Directory (Join-Path $Root ($Name -replace ' ', '-'))
        $Source, $Cache, $Store = "$Here/src one", "$Here/cache", 's3://backup/some/prefix'
        New-Source $Source
        # A request that changes anything, as the server saw it.
        function Get-Mutation([int] $Skip) { Get-Request $Server $Skip | Where-Object { $_.Method -notin 'GET', 'HEAD' } }
    }

    AfterAll { Stop-Server $Server }

    It 'plans with -WhatIf, and neither asks for a change nor touches a file' {
        $before = Get-Tree $Here
        $plan = Sync-FolderToS3 $Source $Store -CachePath $Cache @S3 -WhatIf
        $plan.WhatIf, $plan.New, $plan.Bytes | Should -Be $true, 25, ((Get-ChildItem $Source -Recurse -File | Where-Object { -not $_.LinkTarget } | Measure-Object Length -Sum).Sum)
        if ($Strict) { Get-Mutation | Should -BeNullOrEmpty }
        Get-Tree $Here | Should -Be $before
        Get-BackupRun $Store @S3 | Should -BeNullOrEmpty
    }

    It 'stores everything the first time' {
        $result = Sync-FolderToS3 $Source $Store -CachePath $Cache -StorageClass STANDARD @S3
        $result.Outcome, $result.New, $result.Failed | Should -Be Completed, 25, 0
        $result.RunId | Should -Not -BeNullOrEmpty
        (Get-BackupRun $Store @S3).Proofs | Should -Not -BeNullOrEmpty
    }

    It 'is read back by aws s3 cp, under the names that people would look for' {
        if (-not $HasAws) { Set-ItResult -Skipped -Because 'aws is not on the PATH'; return }
        Invoke-Aws $Server.Url s3 cp --quiet --recursive "$Store$($Source.Replace('\', '/') -replace '^([A-Z]):', '/$1')/" "$Here/copy"
        function Get-Hash([string] $Path) {
            Get-ChildItem -LiteralPath $Path -Recurse -File -Force | Where-Object { -not $_.LinkTarget } | Sort-Object FullName -CaseSensitive |
                ForEach-Object { "$([IO.Path]::GetRelativePath($Path, $_.FullName)) $((Get-FileHash -LiteralPath $_.FullName).Hash)" }
        }
        Get-Hash "$Here/copy" | Should -Be (Get-Hash $Source)
    }

    It 'sends nothing the second time, and asks the store nothing' {
        $before = $Strict ? @(Get-Request $Server).Count : 0
        $result = Sync-FolderToS3 $Source $Store -CachePath $Cache -StorageClass STANDARD @S3
        $result.Outcome, $result.Unchanged, $result.Bytes | Should -Be Unchanged, 25, 0
        if ($Strict) { Get-Request $Server $before | Should -BeNullOrEmpty }
    }

    It 'sends only the edits' {
        $before = $Strict ? @(Get-Request $Server).Count : 0
        Set-Content "$Source/a.txt" 'alpha, edited' -NoNewline
        Set-Content "$Source/new.txt" 'new' -NoNewline
        Remove-Item "$Source/sub/deeper/n20.txt"
        $plan = Sync-FolderToS3 $Source $Store -CachePath $Cache -StorageClass STANDARD @S3 -WhatIf
        $plan.New, $plan.Changed, $plan.Deleted, $plan.Bytes | Should -Be 1, 1, 1, 16
        if ($Strict) { Get-Mutation $before | Should -BeNullOrEmpty }
        $result = Sync-FolderToS3 $Source $Store -CachePath $Cache -StorageClass STANDARD @S3
        $result.Outcome, $result.New, $result.Changed, $result.Deleted, $result.Bytes | Should -Be Completed, 1, 1, 1, 16
        if ($Strict) {
            $sent = Get-Mutation $before | Where-Object Path -NotMatch '/_catalog/' | Where-Object Operation -Match '^(PutObject|UploadPart)$'
            $sent.Path | Split-Path -Leaf | Sort-Object | Should -Be a.txt, new.txt
        }
    }

    It 'verifies, quickly and deeply, from the pipeline' {
        @(Get-BackupRun $Store @S3).Count | Should -Be 2
        Get-BackupRun $Store -Latest @S3 | Test-BackupRun @S3 | Should -BeTrue
        Get-BackupRun $Store -Latest @S3 | Test-BackupRun -Deep @S3 | Should -BeTrue
        $report = Test-BackupRun $Store -Detailed -Deep @S3
        $report.Passed, $report.Checked | Should -Be $true, 25
    }

    It 'restores to another place, identical in bytes, times and modes' {
        $before = $Strict ? @(Get-Request $Server).Count : 0
        $plan = Restore-FolderFromS3 $Source $Store -Destination "$Here/restored" @S3 -WhatIf
        $plan.WhatIf, $plan.Restored | Should -Be $true, 25
        Test-Path "$Here/restored" | Should -BeFalse
        if ($Strict) { Get-Mutation $before | Should -BeNullOrEmpty }
        $summary = Restore-FolderFromS3 $Source $Store -Destination "$Here/restored" @S3
        $summary.Outcome, $summary.Restored | Should -Be Completed, 25
        Get-Tree "$Here/restored" | Should -Be (Get-Tree $Source)
    }

    It 'gives a run back from the pipeline' {
        $summary = Get-BackupRun $Store -Latest @S3 | Restore-BackupRun -To "$Here/run" @S3
        $summary.Outcome, $summary.Restored | Should -Be Completed, 25
        Get-Tree "$Here/run" | Should -Be (Get-Tree $Source)
    }

    It 'takes folders from the pipeline, and its results go on to be tested' {
        Get-Item "$Source/sub" | Sync-FolderToS3 -Destination s3://backup/piped -CachePath $Cache -StorageClass STANDARD @S3 | Test-BackupRun -Deep @S3 | Should -BeTrue
        (Get-BackupRun s3://backup/piped @S3).SourceName | Should -Be (Get-Item "$Source/sub").FullName
    }
}

Describe 'The default class on S3' {
    BeforeAll {
        $Server = Start-StrictS3 '--bucket', 'cold', '--restore-delay', '3'
        $S3 = @{ EndpointUrl = $Server.Url; Credential = $Keys }
        $Source, $Cache = "$Root/cold-src", "$Root/cold-cache"
        New-Source $Source -BigBytes 100
        $result = Sync-FolderToS3 $Source s3://cold -CachePath $Cache @S3
    }

    AfterAll { Stop-Server $Server }

    It 'is DEEP_ARCHIVE for the files, and never for the catalog' {
        $result.Outcome | Should -Be Completed
        if (-not $HasAws) { Set-ItResult -Skipped -Because 'aws is not on the PATH'; return }
        $objects = (Invoke-Aws $Server.Url s3api list-objects-v2 --bucket cold | Out-String | ConvertFrom-Json).Contents
        $objects | Where-Object Key -NotLike '_catalog/*' | Select-Object -ExpandProperty StorageClass -Unique | Should -Be DEEP_ARCHIVE
        $objects | Where-Object Key -Like '_catalog/*' | Select-Object -ExpandProperty StorageClass -Unique | Should -Be STANDARD
    }

    It 'is verified quickly, and says honestly that it cannot be read' {
        Test-BackupRun s3://cold @S3 | Should -BeTrue
        $report = Test-BackupRun s3://cold -Deep -Detailed @S3 -ErrorAction SilentlyContinue -ErrorVariable problem
        $report.Passed, $report.Archived | Should -Be $false, 25
        $problem.Count | Should -Be 1
        $problem[0].FullyQualifiedErrorId | Should -Match '^Archived,'
        $problem[0].ErrorDetails.Message | Should -Match '25 .*archive'
        $problem[0].ErrorDetails.RecommendedAction | Should -Not -Match '-Reset'
    }

    It 'is deferred, and restored by the same command when it is readable' {
        $where = @{ Path = $Source; From = 's3://cold'; Destination = "$Root/warm" }
        $summary = Restore-FolderFromS3 @where @S3 -Days 1 -WarningAction SilentlyContinue -WarningVariable warned
        $summary.Outcome, $summary.Deferred, $summary.Restored | Should -Be Deferred, 25, 0
        $warned | Should -Match '25 files are archived and were asked for'
        $clock = [System.Diagnostics.Stopwatch]::StartNew()
        do {
            Start-Sleep -Seconds 1
            $summary = Restore-FolderFromS3 @where @S3 -Days 1 -WarningAction SilentlyContinue
        } while ($summary.Outcome -eq 'Deferred' -and $clock.Elapsed.TotalSeconds -lt 60)
        $summary.Outcome | Should -Be Completed
        Get-Tree "$Root/warm" | Should -Be (Get-Tree $Source)
        # Asked for once, however often it was looked for.
        (Get-Request $Server | Where-Object { $_.Operation -eq 'RestoreObject' -and $_.Status -eq 202 }).Count | Should -Be 25
    }
}

Describe 'Ctrl+C in a long sync' {
    BeforeAll {
        $Server = Start-StrictS3 '--bucket', 'slow', '--delay', '400'
        $S3 = @{ EndpointUrl = $Server.Url; Credential = $Keys }
        $Source, $Cache = "$Root/slow-src", "$Root/slow-cache"
        New-Source $Source -BigBytes 100MB
        $state = [System.Management.Automation.Runspaces.InitialSessionState]::CreateDefault2()
        $state.ImportPSModule($ModulePath)
        $shell = [powershell]::Create($state).AddScript('Sync-FolderToS3 $args[0] s3://slow -CachePath $args[1] -EndpointUrl $args[2] -Credential $args[3] -StorageClass STANDARD').AddArgument($Source).AddArgument($Cache).AddArgument($Server.Url).AddArgument($Keys)
        $running = $shell.BeginInvoke()
        $patience = [System.Diagnostics.Stopwatch]::StartNew()
        do { Start-Sleep -Milliseconds 100 } until ((Read-Log $Server) -match '200 UploadPart ' -or $running.IsCompleted -or $patience.Elapsed.TotalSeconds -gt 60)
        $wasBusy = -not $running.IsCompleted
        $clock = [System.Diagnostics.Stopwatch]::StartNew()
        $shell.Stop()
        $clock.Stop()
        $stopped = $shell.InvocationStateInfo.State
        $shell.Dispose()
    }

    AfterAll { Stop-Server $Server }

    It 'returns promptly' {
        $wasBusy | Should -BeTrue
        $stopped | Should -Be Stopped
        $clock.Elapsed.TotalSeconds | Should -BeLessThan 10
    }

    It 'leaves nothing half visible, and no upload behind' {
        $requests = Get-Request $Server
        $requests | Where-Object { $_.Operation -eq 'CompleteMultipartUpload' -and $_.Status -eq 200 } | Should -BeNullOrEmpty
        $created = @($requests | Where-Object { $_.Operation -eq 'CreateMultipartUpload' -and $_.Status -eq 200 }).Count
        $created | Should -BeGreaterThan 0
        @($requests | Where-Object { $_.Operation -eq 'AbortMultipartUpload' -and $_.Status -eq 204 }).Count | Should -Be $created
        Get-BackupRun s3://slow @S3 | Should -BeNullOrEmpty
        if ($HasAws) {
            (Invoke-Aws $Server.Url s3api list-multipart-uploads --bucket slow | Out-String | ConvertFrom-Json -AsHashtable)?.Uploads | Should -BeNullOrEmpty
            Invoke-Aws $Server.Url s3 ls --recursive s3://slow | Should -Not -Match 'big\.bin'
        }
    }

    It 'is finished by the next run' {
        $result = Sync-FolderToS3 $Source s3://slow -CachePath $Cache -StorageClass STANDARD @S3
        $result.Outcome, $result.Failed | Should -Be Completed, 0
        $result.New + $result.Adopted + $result.Unchanged | Should -Be 25
        Test-BackupRun s3://slow -Deep @S3 | Should -BeTrue
    }
}
