BeforeAll {
    . $PSScriptRoot/Common.ps1
    . $PSScriptRoot/Servers.ps1
    Import-Module $ModulePath
    $Root = (New-Item -ItemType Directory (Join-Path ([IO.Path]::GetTempPath()) "reports-$([guid]::NewGuid())")).FullName
    $Store = "$Root/store"
    foreach ($name in 'images', 'mail') {
        $null = New-Item -ItemType Directory "$Root/$name"
        Set-Content "$Root/$name/a.txt" $name
        $null = Sync-FolderToS3 "$Root/$name" $Store -CachePath "$Root/cache"
    }

    # Moves a run into the past: its manifest says when it was.
    function Set-RunAge([string] $Source, [timespan] $Age) {
        $run = Get-BackupRun $Store -SourceName "*$Source"
        $path = Join-Path $Store $run.ManifestKey
        $manifest = Get-Content $path -Raw | ConvertFrom-Json -DateKind String
        $manifest.started = $manifest.finished = [datetime]::UtcNow.Subtract($Age).ToString('o')
        Remove-Item $path
        Set-Content $path ($manifest | ConvertTo-Json -Depth 9) -NoNewline
    }
    function Get-Snapshot { (Get-ChildItem $Store -Recurse -File -Force | Sort-Object FullName | ForEach-Object { "$($_.FullName) $($_.Length) $((Get-FileHash -LiteralPath $_.FullName).Hash)" }) -join "`n" }
}

AfterAll { Remove-Item $Root -Recurse -Force }

Describe 'Test-BackupFreshness' {
    It 'is one bool for everything' {
        Test-BackupFreshness $Store | Should -BeTrue
        @(Test-BackupFreshness $Store).Count | Should -Be 1
    }

    It 'writes nothing to the destination' {
        $before = Get-Snapshot
        $null = Test-BackupFreshness $Store -Detailed
        $null = Export-BackupReport $Store "$Root/r.html"
        Get-Snapshot | Should -Be $before
    }

    It 'takes intervals as spans, as text and by pattern' {
        Test-BackupFreshness $Store -Interval 26h | Should -BeTrue
        # Unquoted, 2d is a decimal to PowerShell, and two days to people.
        (Test-BackupFreshness $Store -Interval 2d -Detailed)[0].Interval | Should -Be ([timespan]::FromDays(2))
        (Test-BackupFreshness $Store -Interval @{ '*' = 1.5d } -Detailed)[0].Interval | Should -Be ([timespan]::FromHours(36))
        Test-BackupFreshness $Store -Interval ([timespan]::FromDays(2)) | Should -BeTrue
        $all = Test-BackupFreshness $Store -Detailed -Interval @{ '*images' = '7d'; '*' = '1.12:00:00' }
        ($all | Where-Object SourceName -Like '*images').Interval | Should -Be ([timespan]::FromDays(7))
        ($all | Where-Object SourceName -Like '*mail').Interval | Should -Be ([timespan]::FromHours(36))
    }

    It 'refuses an interval that is none: <_>' -ForEach 1, '1', 'soon', '-1d', '0h', @{ 'a' = 'b' } {
        $given = $_
        $failure = Get-ErrorOf { Test-BackupFreshness $Store -Interval $given }
        $failure.FullyQualifiedErrorId | Should -Match '^ParameterArgumentTransformationError,'
        "$failure" | Should -Match '26h'
    }

    It 'says which source is stale, as an error beside $false' {
        Set-RunAge mail 3.00:00:00
        $answer = Test-BackupFreshness $Store -ErrorVariable failure -ErrorAction SilentlyContinue
        $answer | Should -BeFalse
        @($failure).Count | Should -Be 1
        $failure[0].FullyQualifiedErrorId | Should -Be 'Stale,AtlassianBackup.Commands.TestBackupFreshnessCommand'
        $failure[0].CategoryInfo.Category | Should -Be 'ResourceUnavailable'
        $failure[0].TargetObject | Should -Be "$Root/mail"
        "$($failure[0])" | Should -Match '3 d old'
        (Test-BackupFreshness $Store -Detailed -ErrorAction SilentlyContinue | Where-Object -Not IsFresh).SourceName | Should -Be "$Root/mail"
        Test-BackupFreshness $Store -Interval 4d | Should -BeTrue
    }

    It 'judges the sources of runs that are piped' {
        Get-BackupRun $Store -SourceName '*images' | Test-BackupFreshness | Should -BeTrue
        Get-BackupRun $Store | Test-BackupFreshness -ErrorAction SilentlyContinue | Should -BeFalse
        Get-BackupRun $Store -SourceName '*nothing' | Test-BackupFreshness | Should -BeFalse
    }

    It 'misses a source that is expected' {
        Test-BackupFreshness $Store -Source '*images' | Should -BeTrue
        Test-BackupFreshness $Store -Source '*images', 'jira' -ErrorVariable failure -ErrorAction SilentlyContinue | Should -BeFalse
        $failure[0].TargetObject | Should -Be 'jira'
    }

    It 'is never true where a destination cannot be read' {
        $empty = (New-Item -ItemType Directory "$Root/empty").FullName
        foreach ($place in "$Root/nowhere", $empty) {
            Test-BackupFreshness $place -ErrorVariable failure -ErrorAction SilentlyContinue | Should -BeFalse
            $failure[0].FullyQualifiedErrorId | Should -Be 'NotFound,AtlassianBackup.Commands.TestBackupFreshnessCommand'
        }
        # The others are judged all the same.
        $answer = @("$Root/nowhere", $Store | Test-BackupFreshness -Detailed -Interval 9d -ErrorAction SilentlyContinue)
        $answer.Count | Should -Be 2
        "$Root/nowhere", $Store | Test-BackupFreshness -Interval 9d -ErrorAction SilentlyContinue | Should -BeFalse
    }

    It 'writes metrics before the error that ends it' {
        Remove-Item "$Root/b.prom" -ErrorAction Ignore
        { Test-BackupFreshness $Store -PrometheusPath "$Root/b.prom" -ErrorAction Stop } | Should -Throw
        $text = Get-Content "$Root/b.prom" -Raw
        $text | Should -Match '(?m)^atlassianbackup_source_fresh\{.*mail"\} 0$'
        $text | Should -Match '(?m)^atlassianbackup_source_fresh\{.*images"\} 1$'
    }

    It 'writes no metrics under -WhatIf' {
        Test-BackupFreshness $Store -Interval 9d -PrometheusPath "$Root/w.prom" -WhatIf | Should -BeTrue
        Test-Path "$Root/w.prom" | Should -BeFalse
    }

    It 'gives lines that CloudWatch reads' {
        $lines = Test-BackupFreshness $Store -EmbeddedMetrics -Interval 9d
        $lines.Count | Should -Be 3
        $source = $lines | ConvertFrom-Json | Where-Object Source -Like '*mail'
        $source.Fresh | Should -Be 1
        $source.Age | Should -BeGreaterThan 250000
        $source._aws.CloudWatchMetrics[0].Namespace | Should -Be AtlassianBackup
    }

    It 'gives an exit code' {
        (Invoke-ChildShell "Import-Module '$ModulePath'; Test-BackupFreshness '$Store' -ErrorAction Stop").ExitCode | Should -Be 1
        (Invoke-ChildShell "Import-Module '$ModulePath'; Test-BackupFreshness '$Store' -Interval 9d -ErrorAction Stop").ExitCode | Should -Be 0
    }
}

Describe 'Test-BackupRun -Record' {
    It 'keeps what was found, and not under -WhatIf' {
        $before = Get-Snapshot
        Test-BackupRun $Store -SourceName '*images' -Record -WhatIf | Should -BeTrue
        Get-Snapshot | Should -Be $before
        Test-BackupRun $Store -SourceName '*images' -Deep -Record | Should -BeTrue
        $source = Test-BackupFreshness $Store -Source '*images' -Detailed -MaxVerificationAge 30d
        $source.IsFresh | Should -BeTrue
        $source.VerifiedDeep | Should -BeTrue
    }

    It 'makes a run that was found damaged count no longer' {
        $file = (Get-ChildItem $Store -Recurse -File -Filter a.txt | Where-Object FullName -Like '*images*').FullName
        if (-not $IsWindows) { chmod u+w $file }
        $text = Get-Content $file -Raw
        Set-Content $file 'IMAGES'
        Test-BackupRun $Store -SourceName '*images' -Deep -Record -ErrorAction SilentlyContinue | Should -BeFalse
        Test-BackupFreshness $Store -Source '*images' -ErrorVariable failure -ErrorAction SilentlyContinue | Should -BeFalse
        "$($failure[0])" | Should -Match 'damaged'
        Set-Content $file $text -NoNewline
        Test-BackupRun $Store -SourceName '*images' -Deep -Record | Should -BeTrue
        Test-BackupFreshness $Store -Source '*images' | Should -BeTrue
    }
}

Describe 'Export-BackupReport' {
    It 'writes a page that holds the sources' {
        $file = Export-BackupReport $Store "$Root/report.html" -Source '*', 'jira'
        $file | Should -BeOfType System.IO.FileInfo
        $page = Get-Content $file.FullName -Raw
        $page | Should -Match '^<!DOCTYPE html>'
        $page | Should -Match ([regex]::Escape("$Root/mail"))
        $page | Should -Match 'Missing'
        $page | Should -Not -Match 'https?://|<script'
    }

    It 'writes JSON' {
        $null = Export-BackupReport $Store "$Root/report.json" -AsJson
        $json = Get-Content "$Root/report.json" -Raw | ConvertFrom-Json
        $json.destinations[0].sources.Count | Should -Be 2
        ($json.destinations[0].sources | Where-Object sourceName -Like '*mail').state | Should -Be Stale
    }

    It 'writes nothing under -WhatIf' {
        Export-BackupReport $Store "$Root/not.html" -WhatIf | Should -BeNullOrEmpty
        Test-Path "$Root/not.html" | Should -BeFalse
    }

    It 'takes several destinations, and tells of one that cannot be read in the page and as an error' {
        $file = "$Root/nowhere", $Store | Export-BackupReport -Path "$Root/both.html" -ErrorVariable failure -ErrorAction SilentlyContinue
        $failure[0].FullyQualifiedErrorId | Should -Be 'NotFound,AtlassianBackup.Commands.ExportBackupReportCommand'
        $page = Get-Content $file.FullName -Raw
        $page | Should -Match 'Nothing can be said of its sources'
        $page | Should -Match 'images'
    }

    It 'refuses a path that it cannot write: <Path>' -ForEach @(
        @{ Path = 's3://bucket/report.html'; Id = 'InvalidInput' }
        @{ Path = 'no/such/directory/report.html'; Id = 'NotFound' }
        @{ Path = 'env:report'; Id = 'InvalidInput' }
    ) {
        (Get-ErrorOf { Export-BackupReport $Store $Path }).FullyQualifiedErrorId | Should -Be "$Id,AtlassianBackup.Commands.ExportBackupReportCommand"
    }

    It 'is relative to the location of PowerShell' {
        Push-Location $Root
        try { (Export-BackupReport store here.html).FullName | Should -Be (Join-Path $Root here.html) }
        finally { Pop-Location }
    }
}

Describe 'Reports of S3' {
    BeforeAll { $Server = Start-StrictS3 @('--bucket', 'report-bucket') }
    AfterAll { Stop-Server $Server }

    It 'have what the storage costs, read the catalog alone without it, and write nothing' {
        $s3 = @{ EndpointUrl = $Server.Url; Credential = $Keys; Region = 'us-east-1' }
        $null = Sync-FolderToS3 "$Root/images" s3://report-bucket/here -CachePath "$Root/cache3" @s3
        $count = @(Get-Request $Server).Count
        Test-BackupFreshness s3://report-bucket/here @s3 | Should -BeTrue
        $null = Export-BackupReport s3://report-bucket/here "$Root/s3.json" -AsJson -SkipCost @s3
        $json = Get-Content (Export-BackupReport s3://report-bucket/here "$Root/s3.json" -AsJson @s3) -Raw | ConvertFrom-Json
        $json.destinations[0].cost.classes.storageClass | Should -Be 'DEEP_ARCHIVE', 'STANDARD'
        (Get-Request $Server $count).Method | Sort-Object -Unique | Should -Be 'GET'
    }

    It 'are errors where credentials are wrong' {
        $wrong = [pscredential]::new('test', (ConvertTo-SecureString 'wrong' -AsPlainText))
        $answer = Test-BackupFreshness s3://report-bucket/here -EndpointUrl $Server.Url -Credential $wrong -Region us-east-1 -ErrorVariable failure -ErrorAction SilentlyContinue
        $answer | Should -BeFalse
        $failure[0].FullyQualifiedErrorId | Should -Match '^(AuthenticationFailed|PermissionDenied),'
    }
}
