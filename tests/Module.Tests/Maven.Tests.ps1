BeforeAll {
    . $PSScriptRoot/Common.ps1
    . $PSScriptRoot/Servers.ps1
    Import-Module $ModulePath
    $Server = Start-TestServer codeartifact '--verbose', '--page-size', '2'
    $env:AWS_ENDPOINT_URL_CODEARTIFACT = $Server.Url
    $env:AWS_ACCESS_KEY_ID, $env:AWS_SECRET_ACCESS_KEY, $env:AWS_REGION = 'test', 'testsecret', 'eu-central-1'
    $env:AWS_DEFAULT_REGION = 'eu-central-1'
    $Where = @{ Domain = 'my-domain'; Repository = 'my-repo' }
    # Not in TestDrive, which is emptied after each Describe.
    $Store = Join-Path ([IO.Path]::GetTempPath()) "maven-$([guid]::NewGuid())"

    # As a build tool publishes: assets, then the metadata that finishes them.
    function Publish-Version([string] $Artifact, [string] $Version, [string] $Repository = 'my-repo') {
        $base = "$($Server.Url)/d/my-domain/maven/$Repository/com/example/$Artifact"
        $headers = @{ Authorization = 'Bearer ca-token-0123456789' }
        foreach ($suffix in '.pom', '.jar', '-sources.jar', '-linux.jar') {
            $null = Invoke-WebRequest "$base/$Version/$Artifact-$Version$suffix" -Method Put -Headers $headers -Body ([Text.Encoding]::UTF8.GetBytes("$Artifact $Version $suffix")) -ContentType application/octet-stream
        }
        $null = Invoke-WebRequest "$base/maven-metadata.xml" -Method Put -Headers $headers -Body "<metadata><versioning><versions><version>$Version</version></versions></versioning></metadata>" -ContentType application/octet-stream
    }
    function Remove-Version([string] $Artifact, [string] $Version) {
        aws codeartifact delete-package-versions --endpoint-url $Server.Url --domain my-domain --repository my-repo --format maven --namespace com.example --package $Artifact --versions $Version | Out-Null
        if ($LASTEXITCODE) { throw 'aws codeartifact failed' }
    }
    function Get-Mutation([scriptblock] $Script) {
        $before = (Read-Log $Server).Length
        $null = & $Script
        Start-Sleep -Milliseconds 300
        (Read-Log $Server).Substring($before) -split '\r?\n' | Where-Object { $_ -match ' PUT ' -or $_ -match 'update_status|/publish$|/delete$' }
    }
    # The lines of what EventBridge delivers, with booleans as strings as in the sample's own test event.
    $EventLines = @'
{
  "version": "0", "id": "73f03fec", "detail-type": "CodeArtifact Package Version State Change", "source": "aws.codeartifact",
  "account": "<accountnumber>", "time": "2024-05-11T16:48:21Z", "region": "<region>",
  "detail": {
    "domainName": "my-domain", "domainOwner": "<accountnumber>", "repositoryName": "my-repo", "packageFormat": "maven",
    "packageNamespace": "com.example", "packageName": "event", "packageVersion": "1.0", "packageVersionState": "Published", "packageVersionRevision": "x",
    "changes": { "assetsAdded": 0, "assetsRemoved": 0, "metadataUpdated": "false", "assetsUpdated": 0, "statusChanged": "true" },
    "operationType": "Updated", "sequenceNumber": 2, "eventDeduplicationId": "2mEO0A2Ke07rWUTBXk3CAiQhdTXF4N94LNaT"
  }
}
'@ -split '\n'
}

AfterAll { Stop-Server $Server; Remove-Item $Store -Recurse -Force -ErrorAction SilentlyContinue }

Describe 'Backup-MavenPackage' {
    It 'takes an event as Get-Content gives it, and as an object' {
        Publish-Version event 1.0
        Set-Content "$TestDrive/event.json" $EventLines
        $result = Get-Content "$TestDrive/event.json" | Backup-MavenPackage "$TestDrive/events"
        $result.Outcome, $result.Assets, $result.Package | Should -Be 'Completed', 5, 'com.example:event'
        $again = Get-Content "$TestDrive/event.json" -Raw | ConvertFrom-Json | Backup-MavenPackage "$TestDrive/events"
        $again.Outcome | Should -Be Unchanged
        @(Get-BackupRun "$TestDrive/events").Count | Should -Be 1
        Get-BackupRun "$TestDrive/events" | Test-BackupRun -Deep | Should -BeTrue
        Get-Content "$TestDrive/events/my-domain/maven/my-repo/com/example/event/1.0/event-1.0-sources.jar" | Should -Be 'event 1.0 -sources.jar'
    }

    It 'backs up by coordinates, and says what is not there' {
        $result = Backup-MavenPackage "$TestDrive/coordinates" @Where -Package com.example:event -Version '1.0', '9.9' -ErrorVariable problems -ErrorAction SilentlyContinue
        ($result | Sort-Object Version).Outcome | Should -Be Completed, Failed
        $problems[0].FullyQualifiedErrorId | Should -BeLike 'NotFound,*'
        $problems[0].TargetObject | Should -Be 'com.example:event:9.9'
    }

    It 'backs a whole repository up once' {
        Publish-Version library 1.0; Publish-Version library 1.1; Publish-Version other 2.0
        $summary = Backup-MavenPackage $Store @Where -All | Select-Object -Last 1
        $summary.Outcome, $summary.Stored, $summary.Assets, $summary.Failed | Should -Be 'Completed', 4, 20, 0
        (Backup-MavenPackage $Store @Where -All).Outcome | Should -Be Unchanged
    }

    It 'writes nothing under -WhatIf' {
        $result = Backup-MavenPackage "$TestDrive/whatif" @Where -All -WhatIf
        $result[-1].WhatIf, $result[-1].Stored | Should -Be $true, 4
        "$TestDrive/whatif" | Should -Not -Exist
    }

    It 'refuses what is no event: <Text>' -ForEach @(@{ Text = '{ "detail-type": "Something Else" }' }, @{ Text = 'not json' }, @{ Text = '' }) {
        $record = Get-ErrorOf { $Text | Backup-MavenPackage "$TestDrive/bad" -ErrorAction Stop }
        $record.FullyQualifiedErrorId | Should -BeLike 'InvalidInput,*'
        "$TestDrive/bad/my-domain" | Should -Not -Exist
    }

    It 'shows a summary behind versions in a few lines' {
        $text = Backup-MavenPackage "$TestDrive/summary" @Where -All | Out-String -Width 120
        ($text -split '\r?\n' | Where-Object { $_ -match '^(\w+) +: ' }).ForEach({ ($_ -split ' ')[0] }) | Should -Be Domain, Repository, Outcome, Reason, Stored, Unchanged, Skipped, Gone, Failed, Size
    }

    It 'shows in five columns' {
        $text = Backup-MavenPackage "$TestDrive/format" @Where -Package com.example:library | Format-Table | Out-String -Width 200
        ($text -split '\r?\n' | Where-Object { $_ -match '\S' })[0] -split '\s+' | Where-Object { $_ } | Should -Be Package, Version, Outcome, Assets, Reason
    }
}

Describe 'A backup that is killed' {
    It 'leaves no hole and no duplicate: the next run goes on' {
        foreach ($i in 1..20) { Publish-Version "many$i" 1.0 'other-repo' }
        $store = "$TestDrive/killed"
        $command = "Import-Module '$ModulePath'; Backup-MavenPackage '$store' -Domain my-domain -Repository other-repo -All -RequestRate 15"
        # Three times on its way, each time somewhere else.
        foreach ($round in 1..3) {
            $before = (Read-Log $Server).Length
            $process = Start-Process pwsh -ArgumentList '-NoProfile', '-NonInteractive', '-Command', "`"$command`"" -PassThru -RedirectStandardOutput "$TestDrive/out" -RedirectStandardError "$TestDrive/err"
            $clock = [System.Diagnostics.Stopwatch]::StartNew()
            $point = Get-Random -Minimum 3 -Maximum 25
            while (([regex]::Matches((Read-Log $Server).Substring($before), '200 GET /v1/package/version/asset')).Count -lt $point) {
                if ($clock.Elapsed.TotalSeconds -gt 60 -or $process.HasExited) { throw "Round $round never came to $($point): $(Get-Content "$TestDrive/out", "$TestDrive/err" -Raw)" }
                Start-Sleep -Milliseconds 20
            }
            $process.Kill()
            $process.WaitForExit()
            # Nothing of it has happened yet as far as the catalog is concerned.
            @(Get-BackupRun $store -ErrorAction SilentlyContinue).Count | Should -Be 0
        }
        $stored = @(Get-ChildItem "$store/my-domain" -Recurse -File | Where-Object Name -Match '\.(pom|jar|xml)$').Count
        $stored | Should -BeGreaterThan 0
        $before = (Read-Log $Server).Length
        $summary = Backup-MavenPackage $store -Domain my-domain -Repository other-repo -All | Select-Object -Last 1
        $summary.Outcome, $summary.Failed, ($summary.Stored + $summary.Unchanged) | Should -Be 'Completed', 0, 20
        Start-Sleep -Milliseconds 300
        $downloads = ([regex]::Matches((Read-Log $Server).Substring($before), '200 GET /v1/package/version/asset')).Count
        $downloads | Should -Be (100 - $stored)
        Compare-MavenBackup $store -Domain my-domain -Repository other-repo | Should -BeNullOrEmpty
        # Each asset once, and no second name for any.
        @(Get-ChildItem "$store/my-domain" -Recurse -File | Where-Object Name -Match '\.(pom|jar|xml)$').Count | Should -Be 100
        Get-ChildItem "$store/my-domain" -Recurse -Force -Filter .revisions | Should -BeNullOrEmpty
        $run = Get-BackupRun $store
        @($run).Count, $run.TotalObjects | Should -Be 1, 100
        $run | Test-BackupRun -Deep | Should -BeTrue
    }
}

Describe 'Restore-MavenPackage' -Skip:(-not (Get-Command aws -CommandType Application -ErrorAction SilentlyContinue)) {
    It 'gives a deleted version back, from the pipeline' {
        $jar = "$($Server.Url)/d/my-domain/maven/my-repo/com/example/library/1.0/library-1.0-linux.jar"
        $headers = @{ Authorization = 'Bearer ca-token-0123456789' }
        Remove-Version library 1.0
        (Invoke-WebRequest $jar -Headers $headers -SkipHttpErrorCheck).StatusCode | Should -Be 404
        Get-Mutation { Get-BackupRun $Store -System maven -Latest | Restore-MavenPackage -WhatIf } | Should -BeNullOrEmpty
        $result = Get-BackupRun $Store -System maven -Latest | Restore-MavenPackage
        $result[-1].Outcome, $result[-1].Stored, $result[-1].Unchanged | Should -Be 'Completed', 1, 3
        [Text.Encoding]::UTF8.GetString((Invoke-WebRequest $jar -Headers $headers).Content) | Should -Be 'library 1.0 -linux.jar'
        aws codeartifact describe-package-version --endpoint-url $Server.Url --domain my-domain --repository my-repo --format maven --namespace com.example --package library --package-version 1.0 --query packageVersion.status --output text | Should -Be Published
    }

    It 'restores into another repository, and into a directory' {
        (Restore-MavenPackage $Store @Where -Package com.example:other -To "$TestDrive/repository")[-1].Outcome | Should -Be Completed
        Get-Content "$TestDrive/repository/com/example/other/2.0/other-2.0.jar.sha1" -Raw | Should -Be (Get-FileHash "$TestDrive/repository/com/example/other/2.0/other-2.0.jar" -Algorithm SHA1).Hash.ToLowerInvariant()
        $result = Restore-MavenPackage $Store -Domain my-domain -FromRepository my-repo -Repository other-repo
        $result[-1].Stored, $result[-1].Failed | Should -Be 4, 0
    }

    It 'says what it does not have' {
        (Get-ErrorOf { Restore-MavenPackage $Store @Where -Package com.example:nothing -ErrorAction Stop }).FullyQualifiedErrorId | Should -BeLike 'NotFound,*'
    }
}

Describe 'Compare-MavenBackup' -Skip:(-not (Get-Command aws -CommandType Application -ErrorAction SilentlyContinue)) {
    It 'says nothing where all is well' {
        $null = Backup-MavenPackage $Store @Where -All
        Compare-MavenBackup $Store @Where | Should -BeNullOrEmpty
        $LASTEXITCODE | Should -Be 0
    }

    It 'says what is missing, changed, extra and deleted, and what is missing can be piped on' {
        Publish-Version late 1.0
        Remove-Version library 1.1
        Set-Content "$Store/my-domain/maven/my-repo/com/example/other/2.0/stray.txt" 'stray'
        Remove-Item "$Store/my-domain/maven/my-repo/com/example/other/2.0/other-2.0.pom"
        $found = Compare-MavenBackup $Store @Where
        $LASTEXITCODE | Should -Be 1
        ($found | ForEach-Object { "$($_.Difference) $($_.Package) $($_.Version) $($_.Asset)".Trim() } | Sort-Object) | Should -Be 'DeletedAtSource com.example:library 1.1', 'Extra', 'Missing com.example:late 1.0', 'Missing com.example:other 2.0 other-2.0.pom'
        ($found | Where-Object Difference -in Missing, Changed | Backup-MavenPackage $Store @Where).Outcome | Should -Be Completed, Completed
        "$((Compare-MavenBackup $Store @Where -StoreOnly).Difference)" | Should -Be Extra
    }

    It 'ends with 2 where it could not compare' {
        $null = Get-ErrorOf { Compare-MavenBackup $Store -Domain my-domain -Repository no-repo -ErrorAction Stop }
        $LASTEXITCODE | Should -Be 2
    }
}
