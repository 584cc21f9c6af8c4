# The mistakes of a bad day, through the cmdlets: each is one error that names the thing and says what to do, and nothing is lost.
BeforeDiscovery {
    $Cases = @(
        @{ What = 'a bucket that is not there'; Destination = 's3://missing-bucket'; Id = 'NotFound'; Category = 'ObjectNotFound'; Says = "'missing-bucket' does not exist"; Do = 'Create it' }
        @{ What = 'a bucket that belongs to someone else'; Destination = 's3://theirs'; Id = 'PermissionDenied'; Category = 'PermissionDenied'; Says = 's3://theirs'; Do = "'theirs' may belong to another account" }
        @{ What = 'keys that are wrong'; Destination = 's3://ours'; With = @{ Credential = [pscredential]::new('test', (ConvertTo-SecureString 'wrongsecret' -AsPlainText)) }; Id = 'AuthenticationFailed'; Category = 'AuthenticationError'; Says = 'SignatureDoesNotMatch'; Do = '-ProfileName' }
        @{ What = 'a key that nobody knows'; Destination = 's3://ours'; With = @{ Credential = [pscredential]::new('AKNOBODY', (ConvertTo-SecureString 'x' -AsPlainText)) }; Id = 'AuthenticationFailed'; Category = 'AuthenticationError'; Says = 'InvalidAccessKeyId'; Do = 'access key' }
        @{ What = 'the wrong region'; Destination = 's3://ours'; With = @{ Region = 'eu-central-1' }; Id = 'WrongRegion'; Category = 'InvalidArgument'; Says = "'ours' is not in eu-central-1 but in us-east-1"; Do = '-Region us-east-1' }
        @{ What = 'credentials that have expired'; Destination = 's3://ours'; Server = 'Expired'; Id = 'CredentialsExpired'; Category = 'AuthenticationError'; Says = 'have expired'; Do = 'aws sso login' }
        @{ What = 'an endpoint that is down'; Destination = 's3://ours'; Server = 'Down'; Id = 'Unavailable'; Category = 'ConnectionError'; Says = 'cannot be reached'; Do = '-EndpointUrl' }
    )
}

BeforeAll {
    . $PSScriptRoot/Common.ps1
    . $PSScriptRoot/Servers.ps1
    Import-Module $ModulePath
    $Root = (Get-Item TestDrive:/).FullName.TrimEnd('/', '\')
    $Source, $Cache = "$Root/src", "$Root/cache"
    New-Source $Source -BigBytes 100
    $Before = Get-Tree $Source
    $Server = Start-StrictS3 '--bucket', 'ours', '--foreign-bucket', 'theirs', '--deny-key', 'forbidden'
    $Expired = Start-StrictS3 '--bucket', 'ours', '--expired'
    $listener = [System.Net.Sockets.TcpListener]::new([ipaddress]::Loopback, 0)
    $listener.Start(); $Down = [pscustomobject]@{ Url = "http://127.0.0.1:$($listener.LocalEndpoint.Port)" }; $listener.Stop()
    # What a command writes, and all of its errors, the terminating one included, as a user at a prompt would see them.
    function Get-Everything([scriptblock] $Script) {
        $all = [System.Collections.Generic.List[object]]::new()
        try { & $Script 2>&1 | ForEach-Object { $all.Add($_) } } catch { $all.Add($_) }
        [pscustomobject]@{
            Output = @($all | Where-Object { $_ -isnot [System.Management.Automation.ErrorRecord] })
            Errors = @($all | Where-Object { $_ -is [System.Management.Automation.ErrorRecord] })
        }
    }
}

AfterAll { Stop-Server $Server; Stop-Server $Expired }

Describe '<What>' -ForEach $Cases {
    BeforeAll {
        $at = $PSItem.Server ? (Get-Variable $PSItem.Server -ValueOnly) : $Server
        $S3 = @{ EndpointUrl = $at.Url; Credential = $Keys }
        if ($PSItem.With) { foreach ($name in $PSItem.With.Keys) { $S3[$name] = $PSItem.With[$name] } }
    }

    It 'is one error of <Command>, that names it and says what to do' -ForEach @(
        @{ Command = 'Sync-FolderToS3'; Run = { Sync-FolderToS3 $Source $Destination -CachePath $Cache @S3 -ErrorAction Continue } }
        @{ Command = 'Sync-FolderToS3 -WhatIf'; Run = { Sync-FolderToS3 $Source $Destination -CachePath "$Root/no-cache" @S3 -WhatIf -ErrorAction Continue } }
        @{ Command = 'Get-BackupRun'; Run = { Get-BackupRun $Destination @S3 -ErrorAction Continue } }
        @{ Command = 'Test-BackupRun'; Run = { Test-BackupRun $Destination @S3 -ErrorAction Continue } }
        @{ Command = 'Restore-FolderFromS3'; Run = { Restore-FolderFromS3 -From $Destination -Destination "$Root/restored" @S3 -ErrorAction Continue } }
        @{ Command = 'Restore-BackupRun'; Run = { Restore-BackupRun $Destination -RunId 01ABCDEF -To "$Root/restored" @S3 -ErrorAction Continue } }
    ) {
        $result = Get-Everything $Run
        $result.Errors.Count | Should -Be 1 -Because ($result.Errors -join ' | ')
        $record = $result.Errors[0]
        $record.FullyQualifiedErrorId | Should -Match "^$Id,AtlassianBackup\.Commands\."
        $record.CategoryInfo.Category | Should -Be $Category
        $record.TargetObject | Should -Be ($Command -eq 'Restore-BackupRun' ? '01ABCDEF' : $Destination)
        $record.ErrorDetails.Message | Should -Match ([regex]::Escape($Says))
        $record.ErrorDetails.RecommendedAction | Should -Match ([regex]::Escape($Do))
        "$($record.ErrorDetails.Message) $($record.Exception)" | Should -Not -Match 'testsecret|wrongsecret'
        if ($Command -like 'Sync*') {
            $result.Output.Outcome, $result.Output.Kind | Should -Be Failed, $Id
            $result.Output.RunId | Should -BeNullOrEmpty
        }
        Get-Tree $Source | Should -Be $Before
        Test-Path "$Root/restored" | Should -BeFalse
    }
}

Describe 'Bad folders, with S3 behind them' {
    It '<What> is one error, and the others are backed up' -ForEach @(
        @{ What = 'no such folder'; Name = 'not-there'; Id = 'NotFound'; Category = 'ObjectNotFound' }
        @{ What = 'a file where a folder is meant'; Name = 'src/a.txt'; Id = 'InvalidInput'; Category = 'InvalidArgument' }
    ) {
        $S3 = @{ EndpointUrl = $Server.Url; Credential = $Keys }
        $bad = "$Root/$Name"
        $result = Get-Everything { Sync-FolderToS3 $bad, "$Source/sub" s3://ours/folders -StorageClass STANDARD -CachePath "$Root/cache-folders" @S3 -ErrorAction Continue }
        $result.Errors.Count | Should -Be 1
        $result.Errors[0].FullyQualifiedErrorId | Should -Match "^$Id,"
        $result.Errors[0].CategoryInfo.Category | Should -Be $Category
        $result.Errors[0].TargetObject | Should -Be $bad
        $result.Errors[0].ErrorDetails.Message | Should -Match ([regex]::Escape($bad))
        $result.Errors[0].ErrorDetails.RecommendedAction | Should -Not -BeNullOrEmpty
        ($result.Output | Where-Object Path -eq $bad).Kind | Should -Be $Id
        ($result.Output | Where-Object Path -ne $bad).Outcome | Should -BeIn Completed, Unchanged
        Test-BackupRun s3://ours/folders -Deep @S3 | Should -BeTrue
    }
}

Describe 'Access denied on one object' {
    It 'is one error for that file; the others are stored' {
        $S3 = @{ EndpointUrl = $Server.Url; Credential = $Keys }
        $null = New-Item -ItemType Directory "$Root/mixed"
        'one.txt', 'forbidden.txt', 'two.txt' | ForEach-Object { Set-Content "$Root/mixed/$_" $_ }
        $result = Get-Everything { Sync-FolderToS3 "$Root/mixed" s3://ours/mixed -StorageClass STANDARD -CachePath $Cache @S3 -ErrorAction Continue }
        $result.Errors.Count | Should -Be 1
        $record = $result.Errors[0]
        $record.FullyQualifiedErrorId | Should -Match '^PermissionDenied,'
        $record.CategoryInfo.Category | Should -Be PermissionDenied
        $record.TargetObject | Should -Be (Join-Path "$Root/mixed" forbidden.txt)
        $record.ErrorDetails.Message | Should -Match 'forbidden\.txt.*denied'
        $record.ErrorDetails.RecommendedAction | Should -Match 'permission'
        $result.Output.Outcome, $result.Output.New, $result.Output.Failed | Should -Be Failed, 2, 1
        $result.Output.RunId | Should -Not -BeNullOrEmpty
        # The run says of itself that it is not whole, and what it has is restored.
        (Get-BackupRun s3://ours/mixed @S3).Outcome | Should -Be Failed
        (Restore-FolderFromS3 -From s3://ours/mixed -Destination "$Root/mixed-restored" @S3).Restored | Should -Be 2
    }
}

Describe 'No credentials at all' {
    It 'is one error that says where they are looked for' {
        # A home without a profile, and nothing in the environment.
        $file = "$Root/no-credentials.ps1"
        Set-Content $file @"
`$env:HOME = `$env:USERPROFILE = '$Root/home'
Import-Module '$ModulePath'
`$all = try { Sync-FolderToS3 '$Source' s3://ours -CachePath '$Cache' -EndpointUrl $($Server.Url) 2>&1 } catch { `$_ }
`$all | Where-Object { `$_ -is [System.Management.Automation.ErrorRecord] } | ForEach-Object { @{ Id = `$_.FullyQualifiedErrorId; Category = "`$(`$_.CategoryInfo.Category)"; Target = "`$(`$_.TargetObject)"; Message = `$_.ErrorDetails.Message; Do = `$_.ErrorDetails.RecommendedAction } } | ConvertTo-Json -AsArray | Set-Content '$Root/errors.json'
"@
        $null = New-Item -ItemType Directory "$Root/home"
        $null = pwsh -NoProfile -NonInteractive -File $file 2>&1
        $records = @(Get-Content "$Root/errors.json" -Raw | ConvertFrom-Json)
        $records.Count | Should -Be 1
        $records[0].Id | Should -Match '^AuthenticationFailed,'
        $records[0].Category | Should -Be AuthenticationError
        $records[0].Target | Should -Be s3://ours
        $records[0].Message | Should -Match 'No AWS credentials'
        $records[0].Do | Should -Match '-ProfileName.*aws configure'
        Get-Tree $Source | Should -Be $Before
    }
}

Describe 'A disk that is full under a directory store' {
    BeforeAll {
        $Full = "$Root/full"
        $Why = $null
        if (-not $IsLinux) { $Why = 'a small file system can be mounted on Linux only' }
        elseif ((id -u) -ne '0') { $Why = 'mounting a small file system needs root' }
        else {
            $null = New-Item -ItemType Directory $Full
            $said = mount -t tmpfs -o size=2m tmpfs $Full 2>&1
            if ($LASTEXITCODE) { $Why = "a small file system cannot be mounted here: $said" }
        }
    }

    AfterAll { if (-not $Why) { umount $Full } }

    It 'is one error, and the run before it is still whole' {
        if ($Why) { Set-ItResult -Skipped -Because $Why; return }
        New-Source "$Root/growing" -BigBytes 100
        (Sync-FolderToS3 "$Root/growing" $Full -CachePath $Cache).Outcome | Should -Be Completed
        [IO.File]::WriteAllBytes("$Root/growing/huge.bin", [byte[]]::new(8MB))
        $result = Get-Everything { Sync-FolderToS3 "$Root/growing" $Full -CachePath $Cache -ErrorAction Continue }
        $result.Errors | ForEach-Object { $_.FullyQualifiedErrorId | Should -Match '^NoSpace,' }
        # The file that did not fit, and the end of the run.
        $result.Errors.Count | Should -BeIn 1, 2
        $result.Errors[-1].CategoryInfo.Category | Should -Be ResourceUnavailable
        $result.Errors[-1].TargetObject | Should -Be $Full
        $result.Errors[-1].ErrorDetails.Message | Should -Match ([regex]::Escape($Full))
        $result.Errors[-1].ErrorDetails.RecommendedAction | Should -Match 'space'
        $result.Output.Outcome, $result.Output.Kind | Should -Be Failed, NoSpace
        Test-BackupRun $Full -Deep | Should -BeTrue
        Get-ChildItem $Full -Recurse -File -Force | Where-Object Name -Match 'huge' | Should -BeNullOrEmpty
        # With room again the next run is simply complete.
        Remove-Item "$Root/growing/huge.bin"
        (Sync-FolderToS3 "$Root/growing" $Full -CachePath $Cache).Outcome | Should -BeIn Completed, Unchanged
    }
}

Describe 'Restoring to a disk that is full' {
    BeforeAll {
        $Full = "$Root/full-target"
        $Why = $null
        if (-not $IsLinux -or (id -u) -ne '0') { $Why = 'mounting a small file system needs root on Linux' }
        else {
            $null = New-Item -ItemType Directory $Full
            $said = mount -t tmpfs -o size=1m tmpfs $Full 2>&1
            if ($LASTEXITCODE) { $Why = "a small file system cannot be mounted here: $said" }
        }
    }

    AfterAll { if (-not $Why) { umount $Full } }

    It 'ends with one terminating error and a summary of how far it came' {
        if ($Why) { Set-ItResult -Skipped -Because $Why; return }
        New-Source "$Root/large" -BigBytes 4MB
        $null = Sync-FolderToS3 "$Root/large" "$Root/large-store" -CachePath $Cache
        $result = Get-Everything { Restore-FolderFromS3 -From "$Root/large-store" -Destination $Full -ErrorAction Continue }
        $result.Errors | ForEach-Object { $_.FullyQualifiedErrorId | Should -Match '^NoSpace,' }
        $result.Errors.Count | Should -BeIn 1, 2
        $result.Output.Outcome, $result.Output.Kind | Should -Be Failed, NoSpace
        Get-ChildItem $Full -Recurse -File -Force | Where-Object Name -Match 'big' | Should -BeNullOrEmpty
    }
}
