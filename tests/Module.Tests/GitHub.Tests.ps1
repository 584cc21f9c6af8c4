BeforeDiscovery {
    $HasAws = [bool](Get-Command aws -CommandType Application -ErrorAction SilentlyContinue)
}

BeforeAll {
    . $PSScriptRoot/Common.ps1
    . $PSScriptRoot/Servers.ps1
    Import-Module $ModulePath
    Get-ChildItem env: | Where-Object Name -In 'TOKEN_GITHUB', 'GH_TOKEN', 'GITHUB_TOKEN', 'BACKUP_ONLY_OWNER_REPOS' | Remove-Item
    $Secret = 'ghp_loopbackTokenOfTheTests0123456789abcd'

    # A GitHub whose log has a line for every request.
    function Start-GitHub([string[]] $Arguments = @()) { Start-TestServer github (@('--verbose') + $Arguments) }

    function Get-Refs([string] $Repository, [string] $Pattern = 'refs/') { git -C $Repository for-each-ref --format='%(objectname) %(refname)' $Pattern }

    $Folder = (New-Item -ItemType Directory (Join-Path ([IO.Path]::GetTempPath()) "github-pester-$([guid]::NewGuid())")).FullName
    $GitHub = Start-GitHub '--repositories', 41, '--special'
    $Api = "$($GitHub.Url)/api/v3"
    $env:TOKEN_GITHUB = $Secret
}

AfterAll {
    Stop-Server $GitHub
    Remove-Item env:TOKEN_GITHUB -ErrorAction SilentlyContinue
    Remove-Item -LiteralPath $Folder -Recurse -Force -ErrorAction SilentlyContinue
}

Describe 'Fifty repositories, to S3 and back' {
    BeforeAll {
        $Moto = Start-Moto 'backup'
        $Store = @{ Credential = $Keys; EndpointUrl = $Moto.Url; Region = 'us-east-1' }
        $Target = Start-GitHub '--login', 'copier'
    }

    AfterAll {
        Stop-Server $Moto
        Stop-Server $Target
    }

    It 'lists fifty, and prints no more than a table' {
        $listed = Get-GitHubRepos -ApiUri $Api -Organization acme
        $listed.Count | Should -Be 50
        ($listed | Out-String) | Should -Match 'acme/renamed-old'
        (Get-GitHubRepos -ApiUri $Api -Organization acme -Include 'repo-000*').Count | Should -Be 9
    }

    It 'backs up forty-nine, and one is a typed failure' {
        $results = Backup-GitHubRepos s3://backup/github -ApiUri $Api -Organization acme @Store -ErrorVariable failed -ErrorAction SilentlyContinue
        $? | Should -BeFalse
        ($results | Group-Object Outcome -AsHashTable -AsString).Completed.Count | Should -Be 49
        $results.Where{ $_.Outcome -eq 'Failed' }.FullName | Should -Be 'acme/dmca'
        $failed.Count | Should -Be 1
        $failed[0].FullyQualifiedErrorId | Should -Be 'PermissionDenied,AtlassianBackup.Commands.BackupGitHubReposCommand'
        $failed[0].CategoryInfo.Category | Should -Be 'PermissionDenied'
        $failed[0].TargetObject | Should -Be 'acme/dmca'
        $failed[0].ErrorDetails.RecommendedAction | Should -Not -BeNullOrEmpty
        $results.Where{ $_.FullName -eq 'acme/empty' }.Status | Should -Be 'Empty'
        $results.Where{ $_.FullName -eq 'acme/many-refs' }.Refs | Should -Be 5002
        (Get-BackupRun s3://backup/github @Store).Outcome | Should -Be 'Failed'
        # What it names is whole; a warning says that one repository is missing from it.
        $report = Get-BackupRun s3://backup/github @Store | Test-BackupRun -Deep -Detailed @Store -WarningAction SilentlyContinue -WarningVariable warned
        $report.Passed | Should -BeTrue
        $report.RunFailure | Should -Not -BeNullOrEmpty
        "$warned" | Should -Match 'had failed itself'
    }

    It 'stores nothing new the second time' {
        $before = Invoke-Aws $Moto.Url s3 ls --recursive s3://backup/github/github/
        Test-BackupFreshness s3://backup/github @Store -ErrorAction SilentlyContinue | Should -BeFalse
        $results = Backup-GitHubRepos s3://backup/github -ApiUri $Api -Organization acme @Store
        $results.Where{ $_.Outcome -eq 'Unchanged' }.Count | Should -Be 49
        $results.Where{ $_.Outcome -eq 'Skipped' }.FullName | Should -Be 'acme/dmca'
        Invoke-Aws $Moto.Url s3 ls --recursive s3://backup/github/github/ | Should -Be $before
        # What was told once does not keep the account from being good; and then nothing at all is written.
        Test-BackupFreshness s3://backup/github @Store | Should -BeTrue
        $before = Invoke-Aws $Moto.Url s3 ls --recursive s3://backup
        $null = Backup-GitHubRepos s3://backup/github -ApiUri $Api -Organization acme @Store
        Invoke-Aws $Moto.Url s3 ls --recursive s3://backup | Should -Be $before
    } -Skip:(-not $HasAws)

    It 'keeps the history before a push by force' {
        $source = Restore-GitHubRepos acme/forced s3://backup/github -Path $Folder/before @Store
        $before = Get-Refs $source.Target
        # Generations are told apart by the second.
        Start-Sleep 1.1
        $then = Get-Date
        $null = Invoke-WebRequest "$($GitHub.Url)/_control/change" -Method Post
        $results = Backup-GitHubRepos s3://backup/github -ApiUri $Api -Organization acme @Store
        $results.Where{ $_.Outcome -eq 'Completed' }.FullName | Sort-Object | Should -Be 'acme/forced', 'acme/records', 'acme/renamed-new'
        $results.Where{ $_.FullName -eq 'acme/renamed-new' }.Status | Should -Be 'Renamed'

        $old = Restore-GitHubRepos acme/forced s3://backup/github -Path $Folder/at -At $then @Store
        Get-Refs $old.Target | Should -Be $before
        $new = Restore-GitHubRepos acme/forced s3://backup/github -Path $Folder/now @Store
        Get-Refs $new.Target | Should -Not -Be $before
        git -C $new.Target fsck --full --strict 2>&1 | Where-Object { $_ -match 'error|missing|broken' } | Should -BeNullOrEmpty
    }

    It 'gives all of it to a new GitHub, with the same refs and objects' {
        $results = Restore-GitHubRepos 'acme/*' s3://backup/github -ApiUri "$($Target.Url)/api/v3" -Owner copier -WritesPerMinute 60000 -Content Git, Lfs @Store -ErrorAction SilentlyContinue
        $results.Count | Should -BeGreaterOrEqual 49
        $results.Where{ $_.Outcome -eq 'Failed' }.FullName | Should -BeNullOrEmpty
        $url = $Target.Url
        $header = "http.extraHeader=Authorization: Bearer $Secret"
        foreach ($name in (Get-GitHubRepos -ApiUri $Api -Organization acme -Exclude dmca).Name) {
            $path = [uri]::EscapeDataString($name)
            $original = git -c $header ls-remote --heads --tags "$($GitHub.Url)/acme/$path.git"
            git -c $header ls-remote --heads --tags "$url/copier/$path.git" | Should -Be $original -Because $name
        }
        foreach ($name in 'repo-0001', 'many-refs', 'forced', 'lfs') {
            git -c $header clone --quiet --mirror "$url/copier/$name.git" "$Folder/copies/$name.git"
            git -C "$Folder/copies/$name.git" fsck --full --strict 2>&1 | Where-Object { $_ -match 'error|missing|broken' } | Should -BeNullOrEmpty
        }
    }

    It 'gives records, with their authors in the text and a map of numbers' {
        $result = Restore-GitHubRepos acme/records s3://backup/github -ApiUri "$($Target.Url)/api/v3" -Owner copier -WritesPerMinute 60000 -Content Issues, Releases @Store
        $result.Issues | Should -Be 3
        $result.Comments | Should -Be 1
        $result.Assets | Should -Be 1
        $result.IssueMap.Count | Should -Be 3
        (Restore-GitHubRepos acme/records s3://backup/github -ApiUri "$($Target.Url)/api/v3" -Owner copier -Content Issues, Releases @Store).Outcome | Should -Be 'Unchanged'
    }
}

Describe 'The pipeline' {
    It 'takes repositories by value, and names by property' {
        $store = Join-Path $Folder 'pipeline'
        (Get-GitHubRepos -ApiUri $Api -Organization acme | Where-Object Name -Like 'repo-000[12]' | Backup-GitHubRepos $store -ApiUri $Api -Content Git).FullName | Sort-Object | Should -Be 'acme/repo-0001', 'acme/repo-0002'
        ([pscustomobject]@{ FullName = 'acme/repo-0003' }, 'acme/repo-0004' | Backup-GitHubRepos $store -ApiUri $Api -Content Git).FullName | Sort-Object | Should -Be 'acme/repo-0003', 'acme/repo-0004'
        $again = 'acme/repo-0001' | Backup-GitHubRepos $store -ApiUri $Api -Content Git
        $again.Outcome | Should -Be 'Unchanged'
        ($again | Restore-GitHubRepos -From $store -Path (Join-Path $Folder 'piped')).Outcome | Should -Be 'Completed'
    }

    It 'says what it cannot take' {
        $failure = Get-ErrorOf { 42 | Backup-GitHubRepos (Join-Path $Folder 'bad') -ApiUri $Api }
        $failure.FullyQualifiedErrorId | Should -BeLike 'InvalidInput*'
    }
}

Describe 'A run that is killed' {
    BeforeAll { $Slow = Start-GitHub '--repositories', 25, '--special', '--delay', '10' }
    AfterAll { Stop-Server $Slow }

    It 'is completed by the next one, whenever it was killed, and nothing is stored twice' {
        $store, $temporary = (Join-Path $Folder 'killed'), (New-Item -ItemType Directory (Join-Path $Folder 'killed-tmp')).FullName
        $command = "Import-Module '$ModulePath'; Backup-GitHubRepos '$store' -ApiUri '$($Slow.Url)/api/v3' -Organization acme -ErrorAction SilentlyContinue | ForEach-Object { `$_.FullName + ' ' + `$_.Outcome }"
        $said = foreach ($objects in 1, 20, 45, 70) {
            $start = [System.Diagnostics.ProcessStartInfo]::new('pwsh', [string[]]('-NoProfile', '-NonInteractive', '-Command', $command))
            $start.RedirectStandardOutput = $true
            $start.Environment['TMPDIR'] = $temporary
            $process = [System.Diagnostics.Process]::Start($start)
            # Somewhere in the next one, whatever it is at.
            $goal = $objects + (Get-Random -Maximum 8)
            $clock = [System.Diagnostics.Stopwatch]::StartNew()
            while (-not $process.HasExited -and $clock.Elapsed.TotalSeconds -lt 60 -and @([IO.Directory]::Exists("$store/github") ? [IO.Directory]::EnumerateFiles("$store/github", '*', 'AllDirectories') : @()).Count -lt $goal) { Start-Sleep -Milliseconds 5 }
            $process.Kill()
            $process.WaitForExit()
            $process.StandardOutput.ReadToEnd() -split '\r?\n' -like '* Completed'
            # What nobody committed, nobody sees.
            if (Test-Path $store) { Get-BackupRun $store -WarningAction SilentlyContinue | Should -BeNullOrEmpty }
        }

        $env:TMPDIR = $temporary
        try { $results = Backup-GitHubRepos $store -ApiUri "$($Slow.Url)/api/v3" -Organization acme -ErrorAction SilentlyContinue } finally { Remove-Item env:TMPDIR }

        $results.Where{ $_.Outcome -eq 'Failed' }.FullName | Should -Be 'acme/dmca'
        $results.Where{ $_.Outcome -eq 'Completed' }.Count | Should -Be 33
        Test-BackupRun $store -Deep -WarningAction SilentlyContinue | Should -BeTrue
        # What a killed run had reported is there.
        $kept = (Restore-GitHubRepos 'acme/*' $store -Path (Join-Path $Folder 'killed-restored')).Where{ $_.Outcome -ne 'Skipped' }
        $kept.Outcome | Sort-Object -Unique | Should -Be 'Completed'
        foreach ($line in $said) { $kept.FullName | Should -Contain ($line -replace ' Completed$') }
        foreach ($name in 'repo-0001', 'repo-0025', 'many-refs', 'forced', 'lfs') {
            git -C "$Folder/killed-restored/acme/$name.git" fsck --full --strict 2>&1 | Where-Object { $_ -match 'error|missing|broken' } | Should -BeNullOrEmpty
            Get-Refs "$Folder/killed-restored/acme/$name.git" refs/heads | Should -Not -BeNullOrEmpty
        }
        # 34 histories that are not empty or blocked, and one wiki: a bundle each, but for those that were killed between a bundle and its description.
        $bundles = @(Get-ChildItem $store/github -Recurse -Filter '*.bundle')
        $described = @($bundles.Where{ Test-Path ($_.FullName -replace '\.bundle$', '.json') })
        $described.Count | Should -Be 33
        # The last run took the work folders of the others away.
        Get-ChildItem $temporary -Filter 'AtlassianBackup-github-*' | Should -BeNullOrEmpty
    } -Skip:$IsWindows
}

Describe 'WhatIf' {
    It 'fetches and writes nothing' {
        $store = Join-Path $Folder 'whatif'
        $plan = Backup-GitHubRepos $store -ApiUri $Api -Organization acme -Include repo-0001 -WhatIf
        $plan.WhatIf | Should -BeTrue
        $plan.Reason | Should -Match 'history'
        Test-Path $store | Should -BeFalse
    }
}

Describe 'The environment' {
    AfterEach { Remove-Item env:BACKUP_ONLY_OWNER_REPOS -ErrorAction SilentlyContinue; $env:TOKEN_GITHUB = $Secret }

    It 'BACKUP_ONLY_OWNER_REPOS=<Value> gives <Count>' -ForEach @(
        @{ Value = 'True'; Count = 0 }, @{ Value = '1'; Count = 0 }, @{ Value = 'false'; Count = 50 }, @{ Value = '0'; Count = 50 }
    ) {
        $env:BACKUP_ONLY_OWNER_REPOS = $Value
        @(Get-GitHubRepos -ApiUri $Api).Count | Should -Be $Count
        @(Get-GitHubRepos -ApiUri $Api -OwnerOnly:$false).Count | Should -Be 50
    }

    It 'is never evaluated' {
        $env:BACKUP_ONLY_OWNER_REPOS = '__import__("os").system("touch pwned")'
        $failure = Get-ErrorOf { Get-GitHubRepos -ApiUri $Api }
        $failure.FullyQualifiedErrorId | Should -BeLike 'InvalidInput*'
        $failure.Exception.Message | Should -Match 'BACKUP_ONLY_OWNER_REPOS'
    }

    It 'has no token: the error says where one goes' {
        Remove-Item env:TOKEN_GITHUB
        $failure = Get-ErrorOf { Get-GitHubRepos -ApiUri $Api }
        $failure.FullyQualifiedErrorId | Should -BeLike 'AuthenticationFailed*'
        $failure.ErrorDetails.RecommendedAction | Should -Match 'TOKEN_GITHUB'
    }

    It 'has a wrong token: the error does not repeat it' {
        $env:TOKEN_GITHUB = 'ghp_wrong_one'
        $failure = Get-ErrorOf { Get-GitHubRepos -ApiUri $Api -Organization acme }
        $failure.FullyQualifiedErrorId | Should -BeLike 'AuthenticationFailed*'
        ($failure | Format-List * -Force | Out-String) | Should -Not -Match 'ghp_wrong_one'
    }

    It 'is not sent to another git server' {
        $store = Join-Path $Folder 'pipeline'
        $null = Restore-GitHubRepos acme/repo-0001 $store -Remote "$($GitHub.Url)/acme/elsewhere.git" -ErrorAction SilentlyContinue -ErrorVariable failed
        $failed[0].FullyQualifiedErrorId | Should -BeLike 'AuthenticationFailed*'
    }
}

Describe 'Parameters' {
    It 'a GitHub App needs all three, and not a token as well' {
        (Get-ErrorOf { Get-GitHubRepos -AppId 1 -ApiUri $Api }).FullyQualifiedErrorId | Should -BeLike 'InvalidInput*'
        $token = ConvertTo-SecureString $Secret -AsPlainText
        (Get-ErrorOf { Get-GitHubRepos -AppId 1 -Token $token -ApiUri $Api }).Exception.Message | Should -Match 'Both'
    }

    It 'a shard that is none is refused' { (Get-ErrorOf { Get-GitHubRepos -ApiUri $Api -Shard 9/8 }).FullyQualifiedErrorId | Should -BeLike 'InvalidInput*' }

    It 'shards are parts of the whole' {
        (1..4 | ForEach-Object { @(Get-GitHubRepos -ApiUri $Api -Organization acme -Shard "$_/4").FullName } | Sort-Object -Unique).Count | Should -Be 50
    }
}

Describe 'The token' {
    It 'is in no file and no output of a backup and a restore' {
        $store = Join-Path $Folder 'secret'
        $output = Backup-GitHubRepos $store -ApiUri $Api -Organization acme -Include lfs, repo-0001 -Verbose *>&1 | Out-String
        $output += Restore-GitHubRepos acme/lfs $store -Path (Join-Path $Folder 'secret-restored') -Verbose *>&1 | Out-String
        $output | Should -Not -Match $Secret
        $basic = [Convert]::ToBase64String([Text.Encoding]::UTF8.GetBytes("x-access-token:$Secret"))
        foreach ($file in Get-ChildItem $store, (Join-Path $Folder 'secret-restored') -Recurse -File -Force) {
            $text = [Text.Encoding]::Latin1.GetString([IO.File]::ReadAllBytes($file.FullName))
            $text.Contains($Secret) | Should -BeFalse -Because $file.FullName
            $text.Contains($basic) | Should -BeFalse -Because $file.FullName
        }
    }
}
