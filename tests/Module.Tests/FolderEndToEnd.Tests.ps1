BeforeAll {
    . $PSScriptRoot/Common.ps1
    Import-Module $ModulePath
    # Every file: path, size, time to the tick, and content.
    function Get-Tree([string] $Path) {
        Get-ChildItem -LiteralPath $Path -Recurse -File -Force | Sort-Object FullName | ForEach-Object {
            '{0} {1} {2} {3}' -f [IO.Path]::GetRelativePath($Path, $_.FullName), $_.Length, $_.LastWriteTimeUtc.Ticks, (Get-FileHash -LiteralPath $_.FullName).Hash
        }
    }
    function New-Source([string] $Path) {
        $null = New-Item -ItemType Directory "$Path/sub/deeper"
        Set-Content "$Path/a.txt" 'alpha'
        Set-Content -LiteralPath "$Path/sub/b [1].txt" ('beta ' * 1000)
        [IO.File]::WriteAllBytes("$Path/sub/deeper/c.bin", [System.Security.Cryptography.RandomNumberGenerator]::GetBytes(3MB))
        [IO.File]::WriteAllBytes("$Path/empty", @())
        Set-Content "$Path/sub/$([char]0xfc)mlaut.txt" 'unicode'
        foreach ($i in 1..20) { Set-Content "$Path/sub/n$i.txt" $i }
        Get-ChildItem $Path -Recurse -File | ForEach-Object { $_.LastWriteTimeUtc = [datetime]::new(2026, 3, 4, 5, 6, 7, [DateTimeKind]::Utc).AddTicks(1234567) }
    }
    $Root = (Get-Item TestDrive:/).FullName
}

Describe 'A folder on a directory store, there and back' {
    BeforeAll {
        $Source = Join-Path $Root 'src one'
        $Store = Join-Path $Root 'store'
        $Cache = Join-Path $Root 'cache'
        New-Source $Source
    }

    It 'plans with -WhatIf, and writes nothing' {
        $plan = Sync-FolderToS3 $Source $Store -CachePath $Cache -WhatIf
        $plan.PSTypeNames[0] | Should -Be Backup.Engine.Folders.FolderSyncResult
        $plan.WhatIf | Should -BeTrue
        $plan.New | Should -Be 25
        Test-Path $Store | Should -BeFalse
        Test-Path $Cache | Should -BeFalse
    }

    It 'stores everything the first time' {
        $result = Sync-FolderToS3 -Path $Source -Destination $Store -CachePath $Cache
        $result.Outcome | Should -Be Completed
        $result.New | Should -Be 25
        $result.Failed | Should -Be 0
        $result.RunId | Should -Not -BeNullOrEmpty
    }

    It 'stores nothing the second time' {
        $result = Sync-FolderToS3 -Path $Source -Destination $Store -CachePath $Cache
        $result.Outcome | Should -Be Unchanged
        $result.Unchanged | Should -Be 25
        $result.Bytes | Should -Be 0
    }

    It 'stores only the edit' {
        Set-Content "$Source/a.txt" 'alpha, edited'
        Remove-Item "$Source/sub/n20.txt"
        Set-Content "$Source/new.txt" 'new'
        $result = Sync-FolderToS3 -Path $Source -Destination $Store -CachePath $Cache
        $result.Outcome | Should -Be Completed
        $result.New, $result.Changed, $result.Deleted | Should -Be 1, 1, 1
        $result.Bytes | Should -BeLessThan 1KB
    }

    It 'lists the runs, from the pipeline too' {
        $runs = Get-BackupRun $Store
        $runs.Count | Should -Be 2
        $runs[0].SourceName | Should -Be $Source
        $runs[0].Finished | Should -BeGreaterOrEqual $runs[1].Finished
        @(Get-BackupRun $Store -Latest).RunId | Should -Be $runs[0].RunId
        @(Get-BackupRun $Store -System github) | Should -BeNullOrEmpty
        @(Get-BackupRun $Store -SourceName '*one').Count | Should -Be 2
        @(Get-BackupRun $Store -Since (Get-Date).AddHours(1)) | Should -BeNullOrEmpty
        @($runs[0] | Get-BackupRun).RunId | Should -Be $runs[0].RunId
    }

    It 'verifies, quickly and deeply' {
        Get-BackupRun $Store -Latest | Test-BackupRun | Should -BeTrue
        Get-BackupRun $Store -Latest | Test-BackupRun -Deep | Should -BeTrue
        $report = Test-BackupRun $Store -Detailed -Deep
        $report.Passed | Should -BeTrue
        $report.Checked | Should -BeGreaterOrEqual 25
    }

    It 'restores to another place, identical in bytes and times' {
        $summary = Restore-FolderFromS3 -Path $Source -From $Store -Destination (Join-Path $Root restored)
        $summary.Outcome | Should -Be Completed
        $summary.Restored | Should -Be 25
        Get-Tree (Join-Path $Root restored) | Should -Be (Get-Tree $Source)
    }

    It 'restores nothing twice, and nothing over a newer file' {
        Set-Content "$Root/restored/a.txt" 'newer'
        $summary = Restore-FolderFromS3 $Source $Store -Destination (Join-Path $Root restored) -WarningAction SilentlyContinue -WarningVariable warned
        $summary.Unchanged, $summary.Skipped | Should -Be 24, 1
        $warned | Should -Match '-Force'
        Get-Content "$Root/restored/a.txt" | Should -Be newer
        $null = Restore-FolderFromS3 $Source $Store -Destination (Join-Path $Root restored) -Force
        Get-Tree (Join-Path $Root restored) | Should -Be (Get-Tree $Source)
    }

    It 'plans a restore with -WhatIf' {
        # With the separator that Tab leaves at the end.
        $plan = Restore-FolderFromS3 "$Source/" $Store -Destination (Join-Path $Root planned) -WhatIf
        $plan.WhatIf | Should -BeTrue
        $plan.Restored | Should -Be 25
        Test-Path (Join-Path $Root planned) | Should -BeFalse
    }

    It 'gives a run back by its id, from the pipeline' {
        $summary = Get-BackupRun $Store -Latest | Restore-BackupRun -To (Join-Path $Root run)
        $summary.Restored | Should -Be 25
        (Get-ChildItem (Join-Path $Root run) -Recurse -File).Count | Should -Be 25
    }

    It 'gives a folder back from the list of runs' {
        $summary = Get-BackupRun $Store -Latest | Restore-FolderFromS3 -Destination (Join-Path $Root piped)
        $summary.Restored | Should -Be 25
        Get-Tree (Join-Path $Root piped) | Should -Be (Get-Tree $Source)
        # Several runs of one folder must not land on each other.
        $runs = Get-BackupRun $Store | Select-Object -First 2
        $null = $runs | Restore-FolderFromS3 -Destination (Join-Path $Root several) -WarningAction SilentlyContinue
        (Get-ChildItem (Join-Path $Root several)).Name | Sort-Object | Should -Be ($runs.RunId | Sort-Object)
    }

    It 'takes the destination first where the folders come from a root' {
        $results = Sync-FolderToS3 -Root $Root (Join-Path $Root.TrimEnd('/') '../root-store') -CachePath (Join-Path $Root ../root-cache) -WhatIf -WarningAction SilentlyContinue
        $results.Destination | Select-Object -Unique | Should -Match 'root-store$'
    }

    It 'sees damage, names it, and says false' {
        $victim = Get-ChildItem $Store -Recurse -File | Where-Object Length -ge 3MB | Select-Object -First 1
        $stream = [IO.File]::OpenWrite($victim.FullName); $stream.Position = 1000; $stream.WriteByte(1); $stream.WriteByte(2); $stream.WriteByte(3); $stream.Dispose()
        $answer = Test-BackupRun $Store -Deep -ErrorAction SilentlyContinue -ErrorVariable problem
        $answer | Should -BeFalse
        $problem.Count | Should -Be 1
        $problem[0].ErrorDetails.Message | Should -Match 'c\.bin'
        $problem[0].CategoryInfo.Category | Should -Be InvalidData
    }
}

Describe 'Paths' {
    BeforeAll {
        $Source = Join-Path $Root 'src two'
        New-Source $Source
    }

    It 'are relative to the PowerShell location, and take any drive' {
        $null = New-PSDrive -Name bk -PSProvider FileSystem -Root $Root
        Push-Location $Source
        try { $result = Sync-FolderToS3 ./sub bk:/store2 -CachePath ../cache2 } finally { Pop-Location }
        $result.Path | Should -Be (Join-Path $Source sub)
        $result.Destination | Should -Be (Join-Path $Root store2)
        Test-Path (Join-Path $Root cache2) | Should -BeTrue
    }

    It 'come down the pipeline by value and by property' {
        $results = Get-Item $Source | Sync-FolderToS3 -Destination (Join-Path $Root store3) -CachePath (Join-Path $Root cache3)
        $results.Path | Should -Be $Source
        $results = $Source | Sync-FolderToS3 -Destination (Join-Path $Root store4) -CachePath (Join-Path $Root cache4)
        $results.Path | Should -Be $Source
        $results | Test-BackupRun | Should -BeTrue
    }
}

Describe 'Bad input' {
    BeforeAll {
        $Good = Join-Path $Root good
        New-Source $Good
        Set-Content (Join-Path $Root file.txt) x
        $Store = Join-Path $Root store5
    }

    It 'reports <What> and backs the others up' -ForEach @(
        @{ What = 'no such folder'; Name = 'missing'; Id = 'NotFound'; Category = 'ObjectNotFound' }
        @{ What = 'a file where a folder is meant'; Name = 'file.txt'; Id = 'InvalidInput'; Category = 'InvalidArgument' }
    ) {
        $bad = Join-Path $Root $Name
        $results = Sync-FolderToS3 $bad, $Good $Store -CachePath (Join-Path $Root cache5) -ErrorAction SilentlyContinue -ErrorVariable written
        $written.Count | Should -Be 1
        $written[0].FullyQualifiedErrorId | Should -Match "^$Id,"
        $written[0].CategoryInfo.Category | Should -Be $Category
        $written[0].ErrorDetails.Message | Should -Match ([regex]::Escape($Name))
        $written[0].ErrorDetails.RecommendedAction | Should -Not -BeNullOrEmpty
        "$($written[0].TargetObject)" | Should -Match ([regex]::Escape($Name))
        ($results | Where-Object Path -eq $Good).Outcome | Should -BeIn Completed, Unchanged
    }

    It 'refuses to delete what an emptied folder held' {
        Get-ChildItem $Good | Remove-Item -Recurse
        $result = Sync-FolderToS3 $Good $Store -CachePath (Join-Path $Root cache5) -ErrorAction SilentlyContinue -ErrorVariable written
        $result.Outcome | Should -Be Failed
        $result.Deleted | Should -Be 0
        $written[0].FullyQualifiedErrorId | Should -Match '^DeletionRefused,'
        Test-BackupRun $Store -SourceName $Good | Should -BeTrue
    }

    It 'says that there is no run to test' {
        Test-BackupRun (Join-Path $Root empty-store) -ErrorAction SilentlyContinue -ErrorVariable written | Should -BeFalse
        $written[0].FullyQualifiedErrorId | Should -Match '^NotFound,'
    }
}
