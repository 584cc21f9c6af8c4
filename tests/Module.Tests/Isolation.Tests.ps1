BeforeAll {
    . $PSScriptRoot/Common.ps1
    $Other = $env:OTHER_AWSSDK_CORE
    if (-not $Other) { $Other = "$HOME/.nuget/packages/awssdk.core/4.0.3.3/lib/net8.0/AWSSDK.Core.dll" }
    $Load = "try { Get-BackupRun s3://X } catch { `$engine = `$_.Exception.GetType().Assembly }; `$context = [System.Runtime.Loader.AssemblyLoadContext]::GetLoadContext(`$engine)"
}

Describe 'The engine' {
    It 'lives in a context of its own, which does not end' {
        $child = Invoke-ChildShell "Import-Module '$ModulePath'; $Load; `$context.Name; `$context.IsCollectible; `$engine.Location"
        $lines = $child.Output -split '\r?\n'
        $lines[0] | Should -Be AtlassianBackup
        $lines[1] | Should -Be False
        $lines[2] | Should -Match 'dependencies'
    }

    It 'has its own AWSSDK.Core beside another version that the session has loaded' {
        Test-Path $Other | Should -BeTrue -Because "the other AWSSDK.Core is restored by Module.Tests.csproj"
        $child = Invoke-ChildShell @"
`$other = [System.Reflection.Assembly]::LoadFrom('$Other')
Import-Module '$ModulePath'
$Load
`$ours = `$context.LoadFromAssemblyName('AWSSDK.Core')
'other ' + [System.Diagnostics.FileVersionInfo]::GetVersionInfo(`$other.Location).FileVersion
'ours ' + [System.Diagnostics.FileVersionInfo]::GetVersionInfo(`$ours.Location).FileVersion
'contexts ' + ([System.Runtime.Loader.AssemblyLoadContext]::GetLoadContext(`$other).Name) + ' ' + ([System.Runtime.Loader.AssemblyLoadContext]::GetLoadContext(`$ours).Name)
# Both do their work: each resolves a region with its own tables.
'regions ' + `$other.GetType('Amazon.RegionEndpoint').GetMethod('GetBySystemName').Invoke(`$null, @('eu-central-1')).DisplayName + ' / ' + `$ours.GetType('Amazon.RegionEndpoint').GetMethod('GetBySystemName').Invoke(`$null, @('eu-central-1')).DisplayName
'session ' + [Amazon.RegionEndpoint].Assembly.Location.Equals(`$other.Location)
# And a cmdlet runs: it reaches the endpoint's door with its own SDK.
try { `$null = @(Get-BackupRun s3://some-bucket -EndpointUrl http://127.0.0.1:9 -Region us-east-1 -Credential ([pscredential]::new('AKID', (ConvertTo-SecureString x -AsPlainText))) -ErrorAction Stop); 'ran' } catch { 'ended ' + `$_.FullyQualifiedErrorId + ' ' + `$_.Exception.InnerException?.GetType().Name }
"@
        $child.Output | Should -Match 'other 4\.0\.3\.3'
        $child.Output | Should -Match 'ours 4\.0\.1\d\d\.'
        $child.Output | Should -Match 'contexts Default AtlassianBackup'
        $child.Output | Should -Match 'regions Europe \(Frankfurt\) / Europe \(Frankfurt\)'
        $child.Output | Should -Match 'session True'
        $child.Output | Should -Match '(ran|ended \w+,AtlassianBackup)'
        $child.Output | Should -Not -Match 'MissingMethod|TypeLoad|FileLoad|FileNotFound'
    }

    It 'is the same after Remove-Module and another import' {
        $child = Invoke-ChildShell @"
Import-Module '$ModulePath'; $Load; `$first = `$engine
Remove-Module AtlassianBackup; Import-Module '$ModulePath'; $Load
'same ' + [object]::ReferenceEquals(`$first, `$engine)
'contexts ' + @([System.Runtime.Loader.AssemblyLoadContext]::All | Where-Object Name -eq AtlassianBackup).Count
Import-Module '$ModulePath' -Force; $Load
'again ' + [object]::ReferenceEquals(`$first, `$engine)
"@
        $child.Output | Should -Match 'same True'
        $child.Output | Should -Match 'contexts 1'
        $child.Output | Should -Match 'again True'
    }

    It 'finds the native SQLite of this system' {
        $child = Invoke-ChildShell @"
Import-Module '$ModulePath'; $Load
`$context.LoadFromAssemblyName('SQLitePCLRaw.batteries_v2').GetType('SQLitePCL.Batteries_V2').GetMethod('Init').Invoke(`$null, `$null)
'sqlite ' + `$context.LoadFromAssemblyName('SQLitePCLRaw.core').GetType('SQLitePCL.raw').GetMethod('sqlite3_libversion_number').Invoke(`$null, `$null)
"@
        $child.Output | Should -Match 'sqlite 3\d+'
    }

    It 'has what AWSSDK.Core loads by name: <_>' -ForEach 'AWSSDK.SecurityToken', 'AWSSDK.SSO', 'AWSSDK.SSOOIDC' {
        (Invoke-ChildShell "Import-Module '$ModulePath'; $Load; `$context.LoadFromAssemblyName('$_').GetName().Name").Output.Trim() | Should -Be $_
    }
}

Describe 'module/bin' {
    It 'holds the cmdlets alone; everything else is below dependencies' {
        (Get-ChildItem $ModuleBin).Name | Where-Object { $_ -notin 'AtlassianBackup.dll', 'AtlassianBackup.pdb', 'dependencies' } | Should -BeNullOrEmpty
    }

    It 'has native SQLite for <_>' -ForEach 'linux-x64', 'linux-arm64', 'win-x64', 'win-arm64', 'osx-x64', 'osx-arm64' {
        Get-ChildItem "$ModuleBin/dependencies/runtimes/$_/native" | Should -Not -BeNullOrEmpty
    }
}
