BeforeAll {
    . $PSScriptRoot/Common.ps1
    . $PSScriptRoot/Servers.ps1
    Import-Module $ModulePath
    $Root = (Get-Item TestDrive:/).FullName
    $Server = Start-StrictS3 '--bucket', 'shared-by-all'
    $S3 = @{ EndpointUrl = $Server.Url; Region = 'us-east-1'; CachePath = "$Root/cache" }
    foreach ($file in 'one/a.txt', 'roots/x/b.txt', 'roots/y/c.txt') { $null = New-Item -ItemType File -Force "$Root/$file" -Value $file }
    # The sample's own file, with nothing of ours in it.
    @{
        backup       = @{ folders = @("$Root/one"); roots = @("$Root/roots") }
        notification = @{ webhook = 'https://127.0.0.1:1/secret-path' }
        aws          = @{ access_key = $Keys.UserName; secret_access_key = $Keys.GetNetworkCredential().Password }
    } | ConvertTo-Json -Depth 5 | Set-Content "$Root/config.json"
}

AfterAll { Stop-Server $Server }

Describe 'Sync-FolderToS3 -ConfigFile' {
    It 'plans first, with a warning about the keys in the file' {
        $plans = Sync-FolderToS3 -ConfigFile "$Root/config.json" @S3 -WhatIf -WarningVariable warned 3> $null
        $plans.New | Should -Be 1, 1, 1
        $plans[0].Estimate.Requests | Should -Be 1
        "$warned" | Should -Match 'ProfileName'
        "$warned" | Should -Not -Match $Keys.GetNetworkCredential().Password
        Get-Request $Server | Where-Object Method -NotIn 'GET', 'HEAD' | Should -BeNullOrEmpty
    }

    It 'makes a bucket for each folder, and stores it there' {
        $results = Sync-FolderToS3 -ConfigFile "$Root/config.json" @S3 3> $null
        $results.Outcome | Should -Be Completed, Completed, Completed
        $results.Destination | Select-Object -Unique | Should -HaveCount 3
        $results.Destination | Should -Match '^s3://backup-'
        (Sync-FolderToS3 -ConfigFile "$Root/config.json" @S3 3> $null).Outcome | Should -Be Unchanged, Unchanged, Unchanged
    }

    It 'reports a webhook that fails, and fails nothing for it' {
        $null = New-Item -ItemType Directory -Force "$Root/empty"
        $warnings = & { Sync-FolderToS3 -Path "$Root/one" -Root "$Root/empty" -BucketPrefix other- @S3 -Credential $Keys -WebhookUri 'https://127.0.0.1:1/secret-path' -ErrorAction SilentlyContinue } 3>&1 |
            Where-Object { $_ -is [System.Management.Automation.WarningRecord] }
        "$warnings" | Should -Match 'was not sent'
        "$warnings" | Should -Not -Match 'secret-path'
    }
}

Describe 'What is wrong with where folders go' {
    It '<Message>' -ForEach @(
        @{ Message = 'No folder was given'; Script = { Sync-FolderToS3 } }
        @{ Message = 'No destination was given'; Script = { Sync-FolderToS3 -Path "$Root/one" } }
        @{ Message = 'Both -Destination and -BucketPrefix'; Script = { Sync-FolderToS3 -Path "$Root/one" -Destination s3://bucket -BucketPrefix x- } }
        @{ Message = 'no beginning of a bucket name'; Script = { Sync-FolderToS3 -Path "$Root/one" -BucketPrefix X_ } }
        @{ Message = 'belong together'; Script = { Sync-FolderToS3 -Path "$Root/one" -Destination s3://bucket -ObjectLockMode GOVERNANCE } }
        @{ Message = 'overlap'; Script = { Sync-FolderToS3 -Path "$Root/roots", "$Root/roots/x" -BucketPrefix x- } }
        @{ Message = 'line 2'; Script = { Set-Content "$Root/bad.json" "{`n oops }"; Sync-FolderToS3 -ConfigFile "$Root/bad.json" } }
        @{ Message = "fodlers' is not known"; Script = { Set-Content "$Root/bad.json" '{ "backup": { "fodlers": [] } }'; Sync-FolderToS3 -ConfigFile "$Root/bad.json" } }
        @{ Message = 'not https'; Script = { Sync-FolderToS3 -Path "$Root/one" -Destination s3://bucket -Region us-east-1 -WebhookUri (ConvertTo-SecureString 'http://example.com/secret' -AsPlainText) } }
    ) {
        $problem = Get-ErrorOf $Script
        $problem.Exception.Message | Should -Match $Message
        $problem.CategoryInfo.Category | Should -Be InvalidArgument
        $problem.ErrorDetails.RecommendedAction | Should -Not -BeNullOrEmpty
        "$problem $($problem | Format-List * -Force | Out-String)" | Should -Not -Match 'example.com/secret'
    }

    It 'takes a root without folders for a disk that is not mounted' {
        $null = New-Item -ItemType Directory -Force "$Root/empty"
        $problem = Get-ErrorOf { Sync-FolderToS3 -Root "$Root/empty" -BucketPrefix x- @S3 }
        $problem.Exception.Message | Should -Match 'no folders'
        $problem.CategoryInfo.Category | Should -Be ObjectNotFound
    }
}
