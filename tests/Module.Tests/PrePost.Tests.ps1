BeforeAll {
    . $PSScriptRoot/Common.ps1
    . $PSScriptRoot/Servers.ps1
    Import-Module $ModulePath
    $env:AWS_ACCESS_KEY_ID, $env:AWS_SECRET_ACCESS_KEY, $env:AWS_REGION = 'test', 'testsecret', 'eu-central-1'
    $Role = 'arn:aws:iam::123456789012:role/backup'
    $One, $Two, $Down, $Member = 'i-00000000000000001', 'i-00000000000000002', 'i-00000000000000003', 'i-00000000000000004'
    $Services = 'EC2', 'SSM', 'BACKUP', 'IAM'

    function Start-Fleet([string[]] $Arguments = @()) { Start-TestServer fleet $Arguments }
    function Use-Fleet($Fleet) { foreach ($service in $Services) { Set-Item "env:AWS_ENDPOINT_URL_$service" $Fleet.Url } }
    # The calls that a fleet has answered since there were $Skip of them.
    function Get-Call($Fleet, [int] $Skip = 0) {
        Start-Sleep -Milliseconds 200
        (Read-Log $Fleet) -split '\r?\n' | Where-Object { $_ -match '^[A-Z]\w+ ' } | Select-Object -Skip $Skip
    }
    function Get-Change($Fleet, [int] $Skip = 0) { Get-Call $Fleet $Skip | Where-Object { $_ -match '^(Send|Cancel|Stop|Start)' } }
    function Wait-Call($Fleet, [string] $Operation) {
        $clock = [System.Diagnostics.Stopwatch]::StartNew()
        while (-not ((Read-Log $Fleet) -match "(?m)^$Operation ")) { if ($clock.Elapsed.TotalSeconds -gt 60) { throw "No $Operation was seen." }; Start-Sleep -Milliseconds 50 }
    }
    function New-Store { (New-Item -ItemType Directory "TestDrive:/$([guid]::NewGuid())").FullName }

    $Fleet = Start-Fleet '--instance', $One, '--instance', $Two, '--stopped', $Down, '--member', $Member
    Use-Fleet $Fleet
    $Common = @{ BackupVaultName = 'vault'; IamRoleArn = $Role }
    $Scripts = @{ PreScript = 'echo frozen'; PostScript = 'echo thawed'; StopInstance = $true }
}

AfterAll {
    Stop-Server $Fleet
    Get-ChildItem env: | Where-Object Name -Like 'AWS_*' | Remove-Item
}

Describe 'Start-PrePostBackup' {
    It 'gives a typed result, prints in five columns, and commits a run' {
        $store = New-Store
        $result = Start-PrePostBackup $One -Destination $store @Common @Scripts
        $result.PSTypeNames[0] | Should -Be 'Backup.Engine.PrePost.PrePostBackupResult'
        $result.Outcome | Should -Be Completed
        $result.PreScript.Output | Should -Be frozen
        $result.PostScript.ExitCode | Should -Be 0
        $result.Downtime | Should -BeGreaterThan ([timespan]::Zero)
        $result.Size | Should -Be '8.0 GiB'
        $result | Out-String | Should -Match "InstanceId\s+Outcome\s+Downtime\s+Size\s+Result[\s\S]+$One\s+Completed"
        $result | Format-List | Out-String | Should -Match 'PreScript\s+: Success, exit code 0, 1 attempt\b'
        $run = Get-BackupRun $store
        $run.System | Should -Be ec2
        $run.RunId | Should -Be $result.RunId
        $run | Test-BackupRun -Deep -ErrorAction Stop | Should -BeTrue
    }

    It 'takes ids by value, by property name, and as one run' {
        $store = New-Store
        $results = $One, $Two | Start-PrePostBackup -Destination $store @Common
        $results.Outcome | Should -Be Completed, Completed
        ($results.RunId | Sort-Object -Unique).Count | Should -Be 1
        $results = [pscustomobject]@{ InstanceId = $One; Other = 1 }, [pscustomobject]@{ InstanceId = $Two } | Start-PrePostBackup -Destination $store @Common
        $results.InstanceId | Sort-Object | Should -Be $One, $Two
    }

    It 'takes the document of the sample as <How>' -ForEach @(
        @{ How = 'text' }, @{ How = 'an object' }, @{ How = 'a hashtable' }, @{ How = 'a file' }
    ) {
        $document = @{ TargetEC2Instances = @($One); StartStopEC2Required = $true; BackupDetails = @{ BackupVaultName = 'vault'; IamRoleArn = $Role } }
        $json = $document | ConvertTo-Json -Depth 5
        $before = @(Get-Call $Fleet).Count
        $result = switch ($How) {
            'text' { $json | Start-PrePostBackup -Destination (New-Store) }
            'an object' { $json | ConvertFrom-Json | Start-PrePostBackup -Destination (New-Store) }
            'a hashtable' { Start-PrePostBackup -InputObject $document -Destination (New-Store) }
            'a file' { Set-Content TestDrive:/input.json $json; Start-PrePostBackup -InputFile TestDrive:/input.json -Destination (New-Store) }
        }
        $result.Outcome | Should -Be Completed
        @(Get-Change $Fleet $before).ForEach{ ($_ -split ' ')[0] } | Should -Be StopInstances, StartBackupJob, StartInstances
    }

    It 'names the field of a document that breaks a limit' {
        $record = Get-ErrorOf { '{"TargetEC2Instances":["i-1"],"BackupDetails":{"BackupVaultName":"v","IamRoleArn":"' + $Role + '"}}' | Start-PrePostBackup -Destination (New-Store) }
        $record.FullyQualifiedErrorId | Should -Match '^InvalidInput,'
        $record.CategoryInfo.Category | Should -Be InvalidArgument
        $record.ErrorDetails.Message | Should -Match 'TargetEC2Instances'
        $record.ErrorDetails.RecommendedAction | Should -Not -BeNullOrEmpty
    }

    It 'takes numbers for seconds' {
        (Get-ErrorOf { Start-PrePostBackup $One -Destination (New-Store) @Common -DeliveryTimeout 29 }).ErrorDetails.Message | Should -Match 'DeliveryTimeout is 29 seconds'
        (Get-ErrorOf { Start-PrePostBackup $One -Destination (New-Store) @Common -ExecutionTimeout 08:00:01 }).ErrorDetails.Message | Should -Match 'ExecutionTimeout is 28801 seconds'
    }

    It 'makes an error of each failed instance, beside its result, and of a refused one too' {
        $written = $null
        $results = Start-PrePostBackup $One, $Member -Destination (New-Store) @Common -PreScript 'exit 5' -StopInstance -ErrorVariable written -ErrorAction SilentlyContinue
        $results.Outcome | Should -Be Failed, Failed
        $failed = $written | Where-Object TargetObject -EQ $One
        $failed.FullyQualifiedErrorId | Should -Match '^ScriptFailed,'
        $failed.CategoryInfo.Category | Should -Be InvalidResult
        $failed.ErrorDetails.Message | Should -Match 'exit code 5'
        $refused = $written | Where-Object TargetObject -EQ $Member
        $refused.FullyQualifiedErrorId | Should -Match '^Refused,'
        $refused.ErrorDetails.Message | Should -Match 'Auto Scaling group web'
        $refused.ErrorDetails.RecommendedAction | Should -Match standby
    }

    It 'changes nothing with -WhatIf: counted' {
        $store = New-Store
        $before = @(Get-Call $Fleet).Count
        $results = Start-PrePostBackup $One, $Down -Destination $store @Common @Scripts -WhatIf -WarningAction SilentlyContinue
        $results.WhatIf | Should -Be $true, $true
        $results[0].Plan | Should -Be 'run the pre-script', 'stop', 'back up to vault', 'start when the backup has completed', 'run the post-script'
        $results[1].Plan | Should -Be 'back up to vault'
        $results | Out-String | Should -Match "$One\s+Plan"
        @(Get-Call $Fleet $before).Count | Should -BeGreaterThan 0
        @(Get-Change $Fleet $before).Count | Should -Be 0
        Get-ChildItem $store -Recurse | Should -BeNullOrEmpty
    }

    It 'changes nothing where -Confirm is answered with no' {
        $before = @(Get-Call $Fleet).Count
        $child = Invoke-ChildShell "Import-Module '$ModulePath'; Start-PrePostBackup $One -Destination '$(New-Store)' -BackupVaultName vault -IamRoleArn $Role -Confirm"
        $child.Output | Should -Not -Match Completed
        @(Get-Change $Fleet $before).Count | Should -Be 0
    }

    It 'leaves a stopped instance stopped, and says that no script ran' {
        $before = @(Get-Call $Fleet).Count
        $result = Start-PrePostBackup $Down -Destination (New-Store) @Common @Scripts -WarningVariable warned -WarningAction SilentlyContinue
        $result.Outcome | Should -Be Completed
        $warned | Should -Match 'stopped before'
        @(Get-Change $Fleet $before).ForEach{ ($_ -split ' ')[0] } | Should -Be StartBackupJob
    }

    It 'takes a script as <What>' -ForEach @(
        @{ What = 'text'; Script = "echo one`necho two"; Property = 'Commands'; Is = "echo one`necho two" }
        @{ What = 'an object of S3 with a command line'; Script = 's3://b/k/freeze.sh freeze.sh --all'; Property = 'CommandToRun'; Is = 'freeze.sh --all' }
        @{ What = 'a web address'; Script = 'https://b.s3.amazonaws.com/freeze.sh'; Property = 'SourceS3Path'; Is = 'https://b.s3.amazonaws.com/freeze.sh' }
        @{ What = 'an SSM document'; Script = 'document:Acme-Freeze'; Property = 'Document'; Is = 'Acme-Freeze' }
        @{ What = 'a hashtable'; Script = @{ Document = 'Acme'; Parameters = @{ Mode = 'full' } }; Property = 'Document'; Is = 'Acme' }
    ) {
        $type = (Get-Command Start-PrePostBackup).Parameters['PreScript'].ParameterType
        ([System.Management.Automation.LanguagePrimitives]::ConvertTo($Script, $type)).$Property | Should -Be $Is
    }
}

Describe 'What a script may not be, and lines' {
    It 'takes lines, as Get-Content gives them' {
        Set-Content TestDrive:/freeze.sh 'cat <<X', 'one', 'X', 'echo two'
        (Start-PrePostBackup $One -Destination (New-Store) @Common -PreScript (Get-Content TestDrive:/freeze.sh)).PreScript.Output | Should -Be "one`ntwo"
    }

    It 'refuses <What> before anything is touched' -ForEach @(
        @{ What = 'a document without a name'; Given = 'document:'; Says = 'PreScript.Document is empty' }
        @{ What = 'a bucket without an object'; Given = 's3://bucket'; Says = 'no address of S3' }
        @{ What = 'the address of another place'; Given = 'https://example.com/freeze.sh'; Says = 'no address of S3' }
        @{ What = 'a document that does not exist'; Given = 'document:Acme-Nothing'; Says = "'Acme-Nothing' does not exist" }
        @{ What = 'a script block'; Given = { Stop-Service app }; Says = 'script block' }
    ) {
        $before = @(Get-Call $Fleet).Count
        $record = Get-ErrorOf { Start-PrePostBackup $One -Destination (New-Store) @Common -PreScript $Given -PostScript 'echo thawed' -StopInstance }
        "$($record.ErrorDetails.Message) $($record.Exception.Message)" | Should -Match $Says
        @(Get-Change $Fleet $before).Count | Should -Be 0
    }

    It 'says what is wrong with <What>' -ForEach @(
        @{ What = 'a document that came line by line'; Json = '{'; Says = 'Get-Content -Raw' }
        @{ What = 'a list'; Json = '[]'; Says = 'object in braces' }
        @{ What = 'one instance that is no list'; Json = '{"TargetEC2Instances":"i-0123456789abcdef0"}'; Says = 'TargetEC2Instances.+list of instance ids' }
        @{ What = 'a quoted yes'; Json = '{"StartStopEC2Required":"yes"}'; Says = 'StartStopEC2Required.+true or false' }
        @{ What = 'half a second'; Json = '{"RemoteRunCommandDetails":{"PreBackupScriptDetails":{"TimeoutInSeconds":60.5}}}'; Says = 'TimeoutInSeconds.+whole number' }
    ) {
        $record = Get-ErrorOf { $Json | Start-PrePostBackup -Destination (New-Store) }
        $record.FullyQualifiedErrorId | Should -Match '^InvalidInput,'
        $text = "$($record.ErrorDetails.Message) $($record.ErrorDetails.RecommendedAction)"
        $text | Should -Match $Says
        $text | Should -Not -Match 'Backup\.Engine|System\.'
    }
}

Describe 'A run that is interrupted' {
    BeforeAll {
        $Slow = Start-Fleet '--instance', $One, '--job-time', '4'
        Use-Fleet $Slow
    }

    AfterAll {
        Use-Fleet $Fleet
        Stop-Server $Slow
    }

    It 'by Ctrl+C gives the instance back before the prompt is' {
        $store = New-Store
        $shell = [powershell]::Create()
        $null = $shell.AddScript("Import-Module '$ModulePath'; Start-PrePostBackup $One -Destination '$store' -BackupVaultName vault -IamRoleArn $Role -PreScript 'echo pre' -PostScript 'echo post' -StopInstance")
        $null = $shell.BeginInvoke()
        Wait-Call $Slow DescribeBackupJob
        $shell.Stop()
        $shell.Dispose()
        @(Get-Change $Slow).ForEach{ ($_ -split ' ')[0] } | Should -Be SendCommand, StopInstances, StartBackupJob, StopBackupJob, StartInstances, SendCommand
        $run = Get-PrePostBackup $store
        $run.State | Should -Be Failed
        $run.Results[0].Kind | Should -Be Cancelled
        $run.Results[0].GivenBack | Should -BeTrue
    }

    It 'by kill -9 is listed, and goes on from the pipeline' {
        $store = New-Store
        $before = @(Get-Call $Slow).Count
        $start = [System.Diagnostics.ProcessStartInfo]::new('pwsh')
        '-NoProfile', '-NonInteractive', '-Command', "Import-Module '$ModulePath'; Start-PrePostBackup $One -Destination '$store' -BackupVaultName vault -IamRoleArn $Role -PreScript 'echo pre' -PostScript 'echo post' -StopInstance" | ForEach-Object { $start.ArgumentList.Add($_) }
        $start.RedirectStandardOutput = $true
        $child = [System.Diagnostics.Process]::Start($start)
        $clock = [System.Diagnostics.Stopwatch]::StartNew()
        while (-not (@(Get-Call $Slow $before) -match '^DescribeBackupJob') -and $clock.Elapsed.TotalSeconds -lt 60) { Start-Sleep -Milliseconds 50 }
        (Get-PrePostBackup $store).State | Should -Be Running
        Get-PrePostBackup $store | Format-List | Out-String | Should -Match "Results\s+: $One Backup"
        (Get-PrePostBackup $store).Results[0] | Format-Table | Out-String | Should -Match "$One\s+Backup"
        $busy = Get-ErrorOf { Get-PrePostBackup $store | Resume-PrePostBackup }
        $busy.FullyQualifiedErrorId | Should -Match '^Busy,'
        $child.Kill(); $child.WaitForExit()

        $run = Get-PrePostBackup $store -State Interrupted
        $run | Should -Not -BeNullOrEmpty
        $run | Out-String | Should -Match "RunId\s+Started\s+State\s+Done\s+SourceName[\s\S]+Interrupted\s+0 of 1"
        $changes = @(Get-Change $Slow $before).Count
        $plan = $run | Resume-PrePostBackup -WhatIf
        $plan.Plan | Should -Be 'go on with Backup'
        @(Get-Change $Slow $before).Count | Should -Be $changes

        $result = $run | Resume-PrePostBackup
        $result.Outcome | Should -Be Completed
        $result.RunId | Should -Be $run.RunId
        @(Get-Change $Slow $before).ForEach{ ($_ -split ' ')[0] } | Should -Be SendCommand, StopInstances, StartBackupJob, StartInstances, SendCommand
        Resume-PrePostBackup $run.RunId $store -WarningVariable over -WarningAction SilentlyContinue | Should -BeNullOrEmpty
        "$over" | Should -Match 'is over'
        (Get-PrePostBackup $store).State | Should -Be Completed
        (Get-BackupRun $store).Outcome | Should -Be Completed
    }
}

Describe 'Resume-PrePostBackup' {
    It 'does not find a run that is not there' {
        (Get-ErrorOf { Resume-PrePostBackup 0123456789ab (New-Store) }).FullyQualifiedErrorId | Should -Match '^NotFound,'
    }
}
