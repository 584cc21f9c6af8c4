BeforeAll {
    . $PSScriptRoot/Common.ps1
    Import-Module $ModulePath
    $Secret = 'Tr0ub4dor-and-3'
    # The parameter that cmdlets with secrets have; no exported cmdlet of this version does.
    function Read-Secret {
        [CmdletBinding()] param([AtlassianBackup.SecretValueTransformation()] [AtlassianBackup.SecretValue] $Secret)
        $Secret
    }
    function Get-Plain($Value) { $Value.GetType().GetMethod('Reveal', [System.Reflection.BindingFlags]'NonPublic, Instance').Invoke($Value, $null) }
    function Get-Everything($Record) { ($Record | Format-List * -Force | Out-String -Width 9999) + ($Record.Exception | Format-List * -Force | Out-String -Width 9999) + ($Record.TargetObject | Out-String) }
}

Describe 'A secret' {
    It 'comes from a SecureString' { Get-Plain (Read-Secret (ConvertTo-SecureString $Secret -AsPlainText)) | Should -Be $Secret }

    It 'comes from a PSCredential' { Get-Plain (Read-Secret ([pscredential]::new('u', (ConvertTo-SecureString $Secret -AsPlainText)))) | Should -Be $Secret }

    It 'comes from the environment' {
        $env:MODULE_TEST_SECRET = $Secret
        try { Get-Plain (Read-Secret env:MODULE_TEST_SECRET) | Should -Be $Secret } finally { $env:MODULE_TEST_SECRET = $null }
    }

    It 'comes from a file, without its trailing newline, relative to the location' {
        Set-Content TestDrive:/secret.txt $Secret
        Push-Location TestDrive:/
        try { Get-Plain (Read-Secret file:secret.txt) | Should -Be $Secret } finally { Pop-Location }
    }

    It 'warns of a file that everybody can read' -Skip:$IsWindows {
        Set-Content TestDrive:/open.txt $Secret
        chmod 644 (Resolve-Path TestDrive:/open.txt).ProviderPath
        $value = Read-Secret "file:$((Resolve-Path TestDrive:/open.txt).ProviderPath)"
        $value.GetType().GetProperty('Warning', [System.Reflection.BindingFlags]'NonPublic, Instance').GetValue($value) | Should -Match 'chmod 600'
    }

    It 'prints as something else' {
        $value = Read-Secret (ConvertTo-SecureString $Secret -AsPlainText)
        "$value" | Should -Be '(secret)'
        $value | Format-List * -Force | Out-String | Should -Not -Match $Secret
        $value | ConvertTo-Json -Depth 5 | Should -Not -Match $Secret
    }

    It 'is refused as plain text, and not echoed' {
        $given = $Secret
        try { Read-Secret $given; throw 'it was taken' } catch { $record = $_ }
        $record.Exception.Message | Should -Match 'plain text.*env:NAME'
        Get-Everything $record | Should -Not -Match $Secret
    }

    It 'says what is missing: <Reference>' -ForEach @(
        @{ Reference = 'env:NO_SUCH_VARIABLE_HERE'; Says = 'NO_SUCH_VARIABLE_HERE is not set' }
        @{ Reference = 'file:/no/such/file'; Says = 'cannot be read' }
        @{ Reference = 'ssm:'; Says = 'names no secret' }
        @{ Reference = 'secret:prod#'; Says = 'names no secret' }
    ) {
        { Read-Secret $Reference } | Should -Throw "*$Says*"
    }
}

Describe 'AWS keys' {
    BeforeAll {
        $Keys = [pscredential]::new('AKIDEXAMPLE', (ConvertTo-SecureString $Secret -AsPlainText))
        # As AWS.Tools' own: a method that gives AccessKey, SecretKey and Token.
        Add-Type -TypeDefinition @'
namespace FakeAwsTools
{
    public class Immutable { public string AccessKey { get; set; } public string SecretKey { get; set; } public string Token { get; set; } }
    public class Credentials
    {
        public Immutable GetCredentials() { return new Immutable { AccessKey = "ASIALIVE", SecretKey = "live-secret", Token = "live-token" }; }
        public override string ToString() { return "a credential"; }
    }
    public class Expired { public Immutable GetCredentials() { throw new System.InvalidOperationException("The SSO session has expired."); } }
    // $StoredAWSCredentials holds its credentials in a property that is not public.
    public class Stored { internal object Credentials { get { return new Credentials(); } } }
}
'@
        function Read-Credential {
            [CmdletBinding()] param([AtlassianBackup.AwsCredentialTransformation()] [AtlassianBackup.AwsCredential] $Credential)
            $Credential
        }
        function Get-Hidden($Value, $Name) { $Value.GetType().GetProperty($Name, [System.Reflection.BindingFlags]'NonPublic, Instance').GetValue($Value) }
    }

    It 'come from a PSCredential' {
        $value = Read-Credential $Keys
        $value.AccessKey | Should -Be AKIDEXAMPLE
        Get-Hidden $value SecretKey | Should -Be $Secret
    }

    It 'come from a live credential of AWS.Tools, and from the wrapper it stores' -ForEach @(@{ Type = 'Credentials' }, @{ Type = 'Stored' }) {
        $value = Read-Credential (New-Object "FakeAwsTools.$Type")
        $value.AccessKey | Should -Be ASIALIVE
        Get-Hidden $value SecretKey | Should -Be live-secret
        Get-Hidden $value SessionToken | Should -Be live-token
    }

    It 'say why a live credential has none' { { Read-Credential ([FakeAwsTools.Expired]::new()) } | Should -Throw '*SSO session has expired*' }

    It 'are refused as a string' { { Read-Credential 'AKID:secret' } | Should -Throw '*no AWS credential*' }

    It 'never show in an error, a verbose message or a listing' {
        $value = Read-Credential $Keys
        "$value" | Should -Be AKIDEXAMPLE
        $value | Format-List * -Force | Out-String | Should -Not -Match $Secret
        $everything = & {
            # Nobody listens there: how it fails does not matter, only what is said.
            try { Get-BackupRun s3://no-such-bucket-of-the-module-tests -Region us-east-1 -Credential $Keys -EndpointUrl http://127.0.0.1:9 -Verbose *>&1 -ErrorAction Stop }
            catch { Get-Everything $_; $_.Exception.ToString() }
        } | Out-String -Width 9999
        $everything | Should -Not -BeNullOrEmpty
        $everything | Should -Not -Match $Secret
    }
}

Describe 'Completion' {
    It 'offers regions, classes and profiles' {
        Set-Content TestDrive:/credentials "[default]`naws_access_key_id = x`n[backup user]"
        Set-Content TestDrive:/config "[profile sso-admin]`n[sso-session corp]`n[services s]"
        $env:AWS_SHARED_CREDENTIALS_FILE = (Resolve-Path TestDrive:/credentials).ProviderPath
        $env:AWS_CONFIG_FILE = (Resolve-Path TestDrive:/config).ProviderPath
        try {
            $line = 'Sync-FolderToS3 -ProfileName '
            (TabExpansion2 $line $line.Length).CompletionMatches.CompletionText | Should -Be "'backup user'", 'default', 'sso-admin'
        }
        finally { $env:AWS_SHARED_CREDENTIALS_FILE = $env:AWS_CONFIG_FILE = $null }
        $line = 'Sync-FolderToS3 -Region eu-c'
        (TabExpansion2 $line $line.Length).CompletionMatches.CompletionText | Should -Be 'eu-central-1', 'eu-central-2'
        $line = 'Sync-FolderToS3 -StorageClass deep'
        (TabExpansion2 $line $line.Length).CompletionMatches.CompletionText | Should -Be DEEP_ARCHIVE
    }

    It 'is quiet where the files cannot be read' {
        $env:AWS_CONFIG_FILE = '/no/such/file'; $env:AWS_SHARED_CREDENTIALS_FILE = [IO.Path]::GetTempPath()
        try {
            $line = 'Get-BackupRun -ProfileName zzz'
            { TabExpansion2 $line $line.Length } | Should -Not -Throw
        }
        finally { $env:AWS_SHARED_CREDENTIALS_FILE = $env:AWS_CONFIG_FILE = $null }
    }
}
