# Confluence and Jira, through the cmdlets: each way that it can end, told apart, and no token anywhere.
BeforeAll {
    . $PSScriptRoot/Common.ps1
    . $PSScriptRoot/Servers.ps1
    . $PSScriptRoot/AtlassianServers.ps1
    Import-Module $ModulePath
    $Root = (Get-Item TestDrive:/).FullName.TrimEnd('/', '\')
    $Tokens = [System.Collections.Generic.List[string]]::new()
    $env:ATLASSIAN_TEST_TOKEN = $AtlassianToken
    $User = @{ User = 'admin@example.com'; ApiToken = 'env:ATLASSIAN_TEST_TOKEN'; PollInterval = '00:00:00.05' }
    $Said = [System.Text.StringBuilder]::new()
    # All that a command says, in every stream and in full, kept to be searched for the token.
    function Get-Everything([scriptblock] $Script) {
        $all = [System.Collections.Generic.List[object]]::new()
        $VerbosePreference = $DebugPreference = $InformationPreference = 'Continue'
        $ErrorActionPreference = 'Continue'
        try { & $Script *>&1 | ForEach-Object { $all.Add($_) } } catch { $all.Add($_) }
        foreach ($item in $all) {
            $null = $Said.AppendLine(($item | Format-List -Property * -Force | Out-String -Width 4000)).AppendLine("$item")
            if ($item -is [System.Management.Automation.ErrorRecord]) { $null = $Said.AppendLine("$($item.Exception)").AppendLine(($item.Exception | Format-List * -Force | Out-String -Width 4000)) }
        }
        [pscustomobject]@{
            Output   = @($all | Where-Object { $_ -isnot [System.Management.Automation.ErrorRecord] -and $_ -isnot [System.Management.Automation.VerboseRecord] -and $_ -isnot [System.Management.Automation.WarningRecord] -and $_ -isnot [System.Management.Automation.DebugRecord] -and $_ -isnot [System.Management.Automation.InformationRecord] })
            Errors   = @($all | Where-Object { $_ -is [System.Management.Automation.ErrorRecord] })
            Warnings = @($all | Where-Object { $_ -is [System.Management.Automation.WarningRecord] })
            Verbose  = @($all | Where-Object { $_ -is [System.Management.Automation.VerboseRecord] })
        }
    }
}

AfterAll { Remove-Item env:ATLASSIAN_TEST_TOKEN }

Describe 'A site' {
    BeforeAll {
        $Site = Start-Atlassian '--export-size', '12MB', '--cut', '5MB', '--cut', '3MB'
        $S3Server = Start-StrictS3 '--bucket', 'exports'
        $S3 = @{ EndpointUrl = $S3Server.Url; Credential = $Keys }
    }

    AfterAll { Stop-Server $Site; Stop-Server $S3Server }

    It 'is not touched by -WhatIf, and neither is the store' {
        $result = Get-Everything { Invoke-ConfluenceBackup $Site.Url s3://exports/none @User @S3 -WhatIf }
        $result.Errors | Should -BeNullOrEmpty
        $result.Output.Status, $result.Output.WhatIf | Should -Be Planned, $true
        (Get-Everything { Invoke-JiraBackup $Site.Url "$Root/none" @User -WhatIf }).Output.Status | Should -Be Planned
        Get-SiteRequest $Site | Where-Object Method -ne GET | Should -BeNullOrEmpty
        Get-Request $S3Server | Where-Object Method -notin GET, HEAD | Should -BeNullOrEmpty
        Test-Path "$Root/none" | Should -BeFalse
    }

    It 'is exported to S3, through two cuts, and proven' {
        $result = Get-Everything { Invoke-ConfluenceBackup $Site.Url s3://exports/atlassian @User @S3 -Keep 7d4w12m }
        $result.Errors | Should -BeNullOrEmpty
        $result.Output.Status, $result.Output.Outcome, $result.Output.Bytes, $result.Output.ExportKind | Should -Be Completed, Completed, 12000000, ConfluenceSite
        $result.Output.Resumed | Should -BeGreaterOrEqual 1
        $result.Output.Entries, $result.Output.Entities | ForEach-Object { $_ | Should -BeGreaterThan 10 }
        $result.Verbose.Count | Should -BeGreaterThan 5
        Get-SiteRequest $Site | Where-Object { $_.Part -eq 'media' -and $_.Status -notin 200, 206 } | Should -BeNullOrEmpty
        $run = Get-BackupRun s3://exports/atlassian @S3
        $run.System, $run.Outcome, $run.RunId | Should -Be confluence, Completed, $result.Output.RunId
        $result.Output | Test-BackupRun -Deep @S3 | Should -BeTrue
        (Restore-BackupRun s3://exports/atlassian -RunId $run.RunId -To "$Root/restored" @S3).Restored | Should -Be 1
        (Get-FileHash (Get-ChildItem "$Root/restored" -Recurse -File)).Hash | Should -Be $result.Output.Sha256
    }

    It 'gives its run to a pipeline' {
        $row = [pscustomobject]@{ Site = $Site.Url; Other = 1 }
        $run = $row | Invoke-JiraBackup -Destination "$Root/passed" @User -PassThru
        $run.GetType().FullName, $run.System, $run.Outcome | Should -Be Backup.Engine.Runs.BackupRun, jira, Completed
        $run | Test-BackupRun -Deep | Should -BeTrue
        # The newest export is stored already: nothing is asked for, and the same run comes again.
        ($Site.Url | Invoke-JiraBackup -Destination "$Root/passed" @User -PassThru -MaxAge 01:00:00).RunId | Should -Be $run.RunId
    }
}

Describe 'A run that was killed' {
    It 'is gone on with by the next one: the same export, the same upload, the same bytes' {
        $site = Start-Atlassian '--export-size', '80MB', '--cooldown', '24', '--pace', '25MB', '--cut', '10MB', '--cut', '20MB'
        $s3 = Start-StrictS3 '--bucket', 'exports'
        try {
            $script = "$Root/killed.ps1"
            Set-Content $script @"
Import-Module '$ModulePath'
`$keys = [pscredential]::new('test', (ConvertTo-SecureString 'testsecret' -AsPlainText))
Invoke-ConfluenceBackup $($site.Url) s3://exports -User admin@example.com -ApiToken env:ATLASSIAN_TEST_TOKEN -PollInterval 00:00:00.1 -EndpointUrl $($s3.Url) -Credential `$keys | ConvertTo-Json -Depth 1
"@
            $child = Start-Process pwsh -ArgumentList '-NoProfile', '-NonInteractive', '-File', $script -PassThru -RedirectStandardOutput "$Root/killed.out" -RedirectStandardError "$Root/killed.err"
            $clock = [System.Diagnostics.Stopwatch]::StartNew()
            while ($clock.Elapsed.TotalSeconds -lt 60 -and -not $child.HasExited -and @((Read-Log $s3) -split '\n' -match ' UploadPart ').Count -lt 3) { Start-Sleep -Milliseconds 20 }
            $child.HasExited | Should -BeFalse
            $child.Kill()
            $child.WaitForExit()
            (Get-BackupRun s3://exports -EndpointUrl $s3.Url -Credential $Keys) | Should -BeNullOrEmpty

            $result = pwsh -NoProfile -NonInteractive -File $script | ConvertFrom-Json
            $result.Status, $result.Bytes | Should -Be 0, 80000000
            @(Get-SiteRequest $site | Where-Object Method -eq POST).Count | Should -Be 1
            $requests = Get-Request $s3
            @($requests | Where-Object Operation -eq CreateMultipartUpload).Count | Should -Be 1
            # Ten parts, and those again that were under way when it was killed.
            @($requests | Where-Object { $_.Operation -eq 'UploadPart' -and $_.Status -eq 200 }).Count | Should -BeLessOrEqual 12
            Test-BackupRun s3://exports -Deep -EndpointUrl $s3.Url -Credential $Keys | Should -BeTrue
            $requests | Where-Object { $_.Method -eq 'PUT' -and $_.Path -match '/confluence/.*\.zip' } | ForEach-Object { ($_.Path -split '\?')[0] } | Sort-Object -Unique | Should -HaveCount 1
            $null = $Said.AppendLine((Get-Content "$Root/killed.out", "$Root/killed.err" -Raw))
        }
        finally { Stop-Server $site; Stop-Server $s3 }
    }
}

Describe 'Each way to end' {
    It '<Status>: <What>' -ForEach @(
        @{ Status = 'Adopted'; What = 'it is too early, and the newest export is young'; Arguments = '--existing', '2', '--cooldown', '24' }
        @{ Status = 'Deferred'; What = 'it is too early, and the newest export is old'; Arguments = '--existing', '72', '--cooldown', '100' }
        @{ Status = 'UiOnly'; What = 'Jira lets only people export'; Jira = $true; Arguments = @('--jira-ui-only'); Id = 'NotSupported'; Category = 'NotImplemented'; Do = 'Save-AtlassianExport' }
        @{ Status = 'AuthenticationFailed'; What = 'the token is wrong'; With = @{ ApiToken = 'env:ATLASSIAN_WRONG_TOKEN' }; Id = 'AuthenticationFailed'; Category = 'AuthenticationError'; Do = 'classic API token' }
        @{ Status = 'AuthenticationFailed'; What = 'the download is a sign-in page'; Arguments = @('--login-page'); Id = 'AuthenticationFailed'; Category = 'AuthenticationError'; Do = 'browser' }
        @{ Status = 'PermissionDenied'; What = 'the user is no administrator'; Arguments = @('--no-administrator'); Id = 'PermissionDenied'; Category = 'PermissionDenied'; Do = 'administrator' }
        @{ Status = 'NotLicensed'; What = 'there is no Confluence'; Arguments = @('--no-confluence'); Id = 'NotFound'; Category = 'ObjectNotFound'; Do = 'product access' }
        @{ Status = 'NotLicensed'; What = 'there is no Jira'; Jira = $true; Arguments = @('--no-jira'); Id = 'NotFound'; Category = 'ObjectNotFound'; Do = 'product access' }
        @{ Status = 'TimedOut'; What = 'the export does not get ready'; Arguments = @('--stuck'); With = @{ Timeout = '00:00:00.5' }; Id = 'TimedOut'; Category = 'OperationTimeout'; Do = 'Run again' }
        @{ Status = 'Failed'; What = 'one bit is wrong'; Arguments = '--flip', '300000'; Id = 'Corrupt'; Category = 'InvalidData'; Do = 'again' }
    ) {
        $env:ATLASSIAN_WRONG_TOKEN = 'another-token-4712'
        $site = Start-Atlassian (@('--export-size', '1MB') + $PSItem.Arguments).Where{ $_ }
        try {
            $with = $User.Clone()
            if ($PSItem.With) { foreach ($name in $PSItem.With.Keys) { $with[$name] = $PSItem.With[$name] } }
            $command = $PSItem.Jira ? 'Invoke-JiraBackup' : 'Invoke-ConfluenceBackup'
            $store = "$Root/$([guid]::NewGuid())"
            $result = Get-Everything { & $command $site.Url $store @with }
            @($result.Output).Count | Should -Be 1
            $result.Output.Status | Should -Be $Status -Because $result.Output.Reason
            if ($PSItem.Id) {
                $result.Output.Outcome | Should -Be Failed
                $result.Errors.Count | Should -Be 1 -Because ($result.Errors -join ' | ')
                $record = $result.Errors[0]
                $record.FullyQualifiedErrorId | Should -Match "^$Id,AtlassianBackup\.Commands\."
                $record.CategoryInfo.Category | Should -Be $Category
                $record.TargetObject | Should -Be $result.Output.Site
                $record.ErrorDetails.RecommendedAction | Should -Match ([regex]::Escape($Do))
                Get-BackupRun $store | Where-Object Outcome -ne Failed | Should -BeNullOrEmpty
            }
            else {
                $result.Errors | Should -BeNullOrEmpty
                $result.Output.AllowedAt | Should -BeGreaterThan ([DateTimeOffset]::UtcNow.AddHours(20))
                @($result.Warnings).Count | Should -Be ($Status -eq 'Deferred' ? 1 : 0)
            }
            if ($What -eq 'one bit is wrong') {
                $result.Output.QuarantineKey | Should -Match '^_quarantine/confluence/'
                Test-BackupRun $store -ErrorAction SilentlyContinue -WarningAction SilentlyContinue | Should -BeFalse
                Get-ChildItem "$store/confluence" -Recurse -File -ErrorAction Ignore | Should -BeNullOrEmpty
            }
        }
        finally { Stop-Server $site; Remove-Item env:ATLASSIAN_WRONG_TOKEN }
    }

    It 'is an exit code of a scheduled script' {
        $site = Start-Atlassian '--no-administrator'
        try {
            $child = Invoke-ChildShell "Import-Module '$ModulePath'; Invoke-ConfluenceBackup $($site.Url) '$Root/exit' -User admin@example.com -ApiToken env:ATLASSIAN_TEST_TOKEN -ErrorAction Stop; 'not reached'"
            $child.ExitCode | Should -Be 1
            $child.Output | Should -Not -Match 'not reached'
            $null = $Said.AppendLine($child.Output)
        }
        finally { Stop-Server $site }
    }
}

Describe 'A file from the browser' {
    BeforeAll {
        $Site = Start-Atlassian '--export-size', '1MB', '--existing', '1'
        $folder = "$Root/downloads"
        $null = New-Item -ItemType Directory $folder
        $basic = 'Basic ' + [Convert]::ToBase64String([Text.Encoding]::UTF8.GetBytes("admin@example.com:$AtlassianToken"))
        $state = Invoke-RestMethod "$($Site.Url)/wiki/rest/obm/1.0/getprogress.json" -Headers @{ Authorization = $basic; Accept = 'application/json' }
        Invoke-WebRequest "$($Site.Url)/wiki/download/$($state.fileName)" -Headers @{ Authorization = $basic } -OutFile "$folder/Confluence-backup.zip"
    }

    AfterAll { Stop-Server $Site }

    It 'is verified and stored once, in the layout of the others' {
        $result = Get-Everything { Get-Item "$folder/Confluence-backup.zip" | Save-AtlassianExport -Site acme -Destination "$Root/saved" }
        $result.Errors | Should -BeNullOrEmpty
        $result.Output.Status, $result.Output.Product, $result.Output.Sha256 | Should -Be Completed, Confluence, (Get-FileHash "$folder/Confluence-backup.zip").Hash
        $result.Output.Key | Should -Match '^confluence/acme\.atlassian\.net/\d{8}T\d{6}Z/Confluence-backup\.zip$'
        $result.Output | Test-BackupRun -Deep | Should -BeTrue
        (Save-AtlassianExport $folder "$Root/saved" -Site acme).Status | Should -Be Unchanged
        (Get-BackupRun "$Root/saved").SourceName | Should -Be acme.atlassian.net
    }

    It 'is found in a watched folder' {
        (Save-AtlassianExport $folder "$Root/watched" -Site acme -Watch -PollInterval 00:00:00.1 -Timeout 00:00:01).Status | Should -Be Completed
    }

    It 'that is cut off is a failed run, and -WhatIf is none' {
        $bytes = [IO.File]::ReadAllBytes("$folder/Confluence-backup.zip")
        [IO.File]::WriteAllBytes("$Root/cut.zip", $bytes[0..500000])
        (Get-Everything { Save-AtlassianExport "$Root/cut.zip" "$Root/cut" -Site acme -Product Confluence -WhatIf }).Output.Status | Should -Be Planned
        Test-Path "$Root/cut" | Should -BeFalse
        $result = Get-Everything { Save-AtlassianExport "$Root/cut.zip" "$Root/cut" -Site acme -Product Confluence }
        $result.Output.Status, $result.Output.Kind | Should -Be Failed, Corrupt
        $result.Errors[0].ErrorDetails.Message | Should -Match 'offset \d+'
        (Get-BackupRun "$Root/cut").Outcome | Should -Be Failed
    }
}

Describe 'A mistake' {
    It '<What> is one error, before anything is asked' -ForEach @(
        @{ What = 'a site that is none'; Run = { Invoke-ConfluenceBackup 'not a site' "$Root/m" @User }; Id = 'InvalidInput'; Says = 'not a site' }
        @{ What = 'a site with a password in it'; Run = { Invoke-ConfluenceBackup 'https://me:hunter2@acme.atlassian.net' "$Root/m" @User }; Id = 'InvalidInput'; Says = 'no password' }
        @{ What = 'a site without encryption'; Run = { Invoke-JiraBackup 'http://acme.atlassian.net' "$Root/m" @User }; Id = 'InvalidInput'; Says = 'not https' }
        @{ What = 'a retention that is none'; Run = { Invoke-ConfluenceBackup acme "$Root/m" @User -Keep forever }; Id = 'InvalidInput'; Says = "'forever' is not a retention" }
        @{ What = 'a user that is none'; Run = { Invoke-ConfluenceBackup acme "$Root/m" -User 'a:b' -ApiToken env:ATLASSIAN_TEST_TOKEN }; Id = 'InvalidInput'; Says = 'e-mail' }
        @{ What = 'a destination that is none'; Run = { Invoke-ConfluenceBackup acme 's3://X' @User }; Id = 'InvalidInput'; Says = 'not a bucket name' }
        @{ What = 'a storage class that is none'; Run = { Invoke-ConfluenceBackup acme "$Root/m" @User -StorageClass COLD }; Id = 'InvalidInput'; Says = 'COLD' }
        @{ What = 'a file that is not there'; Run = { Save-AtlassianExport "$Root/nothing.zip" "$Root/m" -Site acme }; Id = 'NotFound'; Says = 'does not exist' }
        @{ What = 'a file to watch'; Run = { Save-AtlassianExport "$PSCommandPath" "$Root/m" -Site acme -Watch }; Id = 'InvalidInput'; Says = 'is a file' }
        @{ What = 'a file that does not tell what it is'; Run = { Set-Content "$Root/text.zip" 'text'; Save-AtlassianExport "$Root/text.zip" "$Root/m" -Site acme }; Id = 'InvalidInput'; Says = '-Product|does not tell' }
    ) {
        $result = Get-Everything $Run
        $result.Errors.Count | Should -Be 1 -Because ($result.Errors -join ' | ')
        $result.Errors[0].FullyQualifiedErrorId | Should -Match "^$Id,AtlassianBackup\.Commands\."
        $result.Errors[0].ErrorDetails.Message | Should -Match $Says
        $result.Errors[0].ErrorDetails.RecommendedAction | Should -Not -BeNullOrEmpty
        "$($result.Errors[0].TargetObject) $($result.Errors[0].Exception)" | Should -Not -Match hunter2
    }

    It 'a time without a unit is refused, which PowerShell would take for ticks' {
        foreach ($wrong in 3600, '3600', '5 minutes', '-1h') {
            $record = Get-ErrorOf { Invoke-ConfluenceBackup acme "$Root/m" @User -Timeout $wrong }
            $record.FullyQualifiedErrorId | Should -BeLike 'ParameterArgumentTransformationError,*'
            $record.Exception.Message | Should -Match "is not a span of time above zero.*90s, 15m, 26h"
        }
        $result = Invoke-ConfluenceBackup acme "$Root/m" @User -Timeout 1.5h -PollInterval 5s -MaxAge 7d -WhatIf -ErrorAction SilentlyContinue -ErrorVariable failed
        $failed.FullyQualifiedErrorId | Should -Not -BeLike '*Transformation*'
    }

    It 'a token in plain text is refused, and not repeated' {
        $result = Get-Everything { Invoke-ConfluenceBackup acme "$Root/m" -User a@b.c -ApiToken "plain-$AtlassianToken" }
        $result.Errors.Count | Should -Be 1
        $result.Errors[0].Exception.Message | Should -Match 'plain text'
        $result.Errors[0].Exception.Message | Should -Not -Match ([regex]::Escape($AtlassianToken))
    }
}

Describe 'The token' {
    It 'is in nothing that was said or stored' {
        $basic = [Convert]::ToBase64String([Text.Encoding]::UTF8.GetBytes("admin@example.com:$AtlassianToken"))
        $text = $Said.ToString()
        $text.Length | Should -BeGreaterThan 10000
        # The invocation of the plain-text test holds what was typed; everything else is ours.
        $ours = ($text -split '\r?\n' | Where-Object { $_ -notmatch 'plain-' }) -join "`n"
        foreach ($secret in $AtlassianToken, $basic, 'another-token-4712', 'token=') { $ours.Contains($secret) | Should -BeFalse -Because $secret.Substring(0, 5) }
        foreach ($file in Get-ChildItem $Root -Recurse -File -Force | Where-Object { $_.Extension -in '.json', '.out', '.err' }) {
            $content = [IO.File]::ReadAllText($file.FullName)
            $content.Contains($AtlassianToken) -or $content.Contains($basic) | Should -BeFalse -Because $file.FullName
        }
    }
}
