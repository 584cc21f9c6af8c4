BeforeAll {
    . $PSScriptRoot/Common.ps1
    . $PSScriptRoot/Servers.ps1
    $Secret = 'Tr0ub4dor-and-3'
    $Server = Start-Server dotnet @(
        $TestServers, 'aws', '--parameter', "/prod/key=$Secret", '--parameter', "/locked=$Secret", '--deny', '/locked', '--parameter', "arn:aws:ssm:ap-south-1:123456789012:parameter/shared=$Secret",
        '--secret', "prod/key={`"token`":`"$Secret`",`"n`":7}", '--secret', "plain=$Secret"
    ) (Join-Path ([IO.Path]::GetTempPath()) "aws-$([guid]::NewGuid()).log")
    $clock = [System.Diagnostics.Stopwatch]::StartNew()
    while (-not $Server.Url -and $clock.Elapsed.TotalSeconds -lt 60 -and -not $Server.Process.HasExited) {
        if ((Read-Log $Server) -match '^(http://\S+)') { $Server.Url = $Matches[1] } else { Start-Sleep -Milliseconds 50 }
    }
    if (-not $Server.Url) { throw "The AWS test server did not start: $(Get-Content "$($Server.Log).err" -Raw)" }

    # A cmdlet with a secret, as those of the systems have.
    $Cmdlet = Join-Path $TestDrive ReadSecret.cs
    Set-Content $Cmdlet @'
using System.Management.Automation;
using AtlassianBackup;
[Cmdlet(VerbsCommunications.Read, "TestSecret")]
public sealed class ReadTestSecretCommand : AwsCmdlet
{
    [Parameter(Mandatory = true, Position = 0)] [SecretValueTransformation] public SecretValue Secret { get; set; }
    protected override void EndProcessing() { WriteObject(Reveal(Secret)); }
}
'@
    $Home1 = Join-Path $TestDrive home
    $null = New-Item -ItemType Directory "$Home1/.aws/sso/cache"
    Set-Content "$Home1/.aws/config" @"
[default]
region = eu-central-1
[profile role]
region = eu-west-1
role_arn = arn:aws:iam::123456789012:role/backup
source_profile = default
[profile sso]
region = eu-north-1
sso_session = corp
sso_account_id = 123456789012
sso_role_name = Backup
[sso-session corp]
sso_start_url = https://corp.awsapps.com/start
sso_region = us-east-1
sso_registration_scopes = sso:account:access
"@
    Set-Content "$Home1/.aws/credentials" "[default]`naws_access_key_id = test`naws_secret_access_key = testsecret"
    $name = [Convert]::ToHexString([System.Security.Cryptography.SHA1]::HashData([Text.Encoding]::UTF8.GetBytes('corp'))).ToLowerInvariant()
    Set-Content "$Home1/.aws/sso/cache/$name.json" (@{ startUrl = 'https://corp.awsapps.com/start'; region = 'us-east-1'; accessToken = 'sso-token'; expiresAt = [datetime]::UtcNow.AddHours(2).ToString('yyyy-MM-ddTHH:mm:ssZ') } | ConvertTo-Json)

    # In one shell of its own, so that the SDK sees no files and variables but these. A result for each command, by its name.
    function Invoke-Secret([System.Collections.IDictionary] $Commands) {
        $child = Invoke-ChildShell @"
`$env:HOME = '$Home1'; `$env:USERPROFILE = '$Home1'; `$env:AWS_EC2_METADATA_DISABLED = 'true'
foreach (`$service in 'SSM', 'SECRETS_MANAGER', 'STS', 'SSO') { Set-Item "env:AWS_ENDPOINT_URL_`$service" '$($Server.Url)' }
Import-Module '$ModulePath'
`$types = Add-Type -Path '$Cmdlet' -ReferencedAssemblies '$(Join-Path $ModuleBin AtlassianBackup.dll)', System.Runtime, System.Management.Automation -CompilerOptions '/nowarn:CS1701' -IgnoreWarnings -PassThru
Import-Module -Assembly `$types[0].Assembly
function Get-Keys(`$Id, `$Key) { [pscredential]::new(`$Id, (ConvertTo-SecureString `$Key -AsPlainText)) }
`$commands = '$((ConvertTo-Json $Commands -Compress) -replace "'", "''")' | ConvertFrom-Json -AsHashtable
foreach (`$name in `$commands.Keys | Sort-Object) {
    `$result = @{ Name = `$name; Output = ''; Id = ''; Category = ''; Message = ''; Advice = ''; All = '' }
    try { `$result.Output = (Invoke-Expression `$commands[`$name] | Out-String -Width 999).Trim() }
    catch {
        `$result.Id = `$_.FullyQualifiedErrorId; `$result.Category = "`$(`$_.CategoryInfo.Category)"; `$result.Message = `$_.Exception.Message; `$result.Advice = `$_.ErrorDetails.RecommendedAction
        `$result.All = (`$_ | Format-List * -Force | Out-String -Width 9999) + `$_.Exception.ToString()
    }
    'RESULT ' + (`$result | ConvertTo-Json -Compress)
}
"@
        $results = @{}
        foreach ($line in $child.Output -split '\r?\n' | Where-Object { $_ -like 'RESULT *' }) { $result = $line.Substring(7) | ConvertFrom-Json; $results[$result.Name] = $result }
        if ($results.Count -ne $Commands.Count) { throw "The shell did not run everything: $($child.Output)" }
        $results
    }

    $Folder = "$TestDrive/folder"; $null = New-Item -ItemType Directory $Folder; Set-Content "$Folder/a" 1
    $Results = Invoke-Secret @{
        parameter = "Read-TestSecret 'ssm:/prod/key'"
        plain = "Read-TestSecret 'secret:plain'"
        jsonKey = "Read-TestSecret 'secret:prod/key#token'"
        number = "Read-TestSecret 'secret:prod/key#n'"
        arn = "Read-TestSecret 'ssm:arn:aws:ssm:ap-south-1:123456789012:parameter/shared'"
        role = "Read-TestSecret ssm:/prod/key -ProfileName role"
        sso = "Read-TestSecret ssm:/prod/key -ProfileName sso"
        given = "Read-TestSecret ssm:/prod/key -Region sa-east-1 -Credential (Get-Keys test testsecret)"
        minio = "Read-TestSecret ssm:/prod/key -Region us-west-2 -EndpointUrl http://127.0.0.1:9 -Credential (Get-Keys minio miniosecret)"
        noParameter = "Read-TestSecret ssm:/nowhere"
        noSecret = "Read-TestSecret secret:nowhere"
        denied = "Read-TestSecret ssm:/locked"
        noKey = "Read-TestSecret 'secret:prod/key#Token'"
        noObject = "Read-TestSecret 'secret:plain#token'"
        nobody = "Read-TestSecret ssm:/prod/key -ProfileName nobody -Region eu-central-1"
        webhook = "Sync-FolderToS3 '$Folder' '$TestDrive/store' -WebhookUri ssm:/prod/key -Region af-south-1 -ErrorAction Stop -Verbose *>&1"
    }
    Start-Sleep -Milliseconds 200
    $Log = (Read-Log $Server) -split '\r?\n'
}

AfterAll { Stop-Server $Server }

Describe 'A secret that is kept in AWS' {
    It 'is fetched: <Case>' -ForEach @(
        @{ Case = 'parameter'; Expect = 'Tr0ub4dor-and-3' }
        @{ Case = 'plain'; Expect = 'Tr0ub4dor-and-3' }
        @{ Case = 'jsonKey'; Expect = 'Tr0ub4dor-and-3' }
        @{ Case = 'number'; Expect = '7' }
    ) {
        $Results[$Case].Output | Should -Be $Expect
    }

    It 'is asked for in the region of its ARN' {
        $Results.arn.Output | Should -Be $Secret
        $Log | Should -Contain '200 GetParameter ssm ap-south-1 test'
    }

    It 'is fetched as the role of a profile, in its region, inside the module''s load context' {
        $Results.role.Output | Should -Be $Secret
        $Log | Should -Contain '200 GetParameter ssm eu-west-1 ASIAROLE'
        @($Log -match '^200 AssumeRole sts \S+ test$').Count | Should -Be 1
    }

    It 'is fetched with the SSO login of a profile, inside the module''s load context' {
        $Results.sso.Output | Should -Be $Secret
        $Log | Should -Contain '200 GetParameter ssm eu-north-1 ASIASSO'
        @($Log -match '^200 GET /federation/credentials').Count | Should -Be 1
    }

    It 'is fetched with -Region and -Credential' {
        $Results.given.Output | Should -Be $Secret
        $Log | Should -Contain '200 GetParameter ssm sa-east-1 test'
    }

    It 'is not asked of the -EndpointUrl of S3, nor with the keys that are given for that' {
        $Results.minio.Output | Should -Be $Secret
        $Log | Should -Contain '200 GetParameter ssm us-west-2 test'
        $Log -match 'minio' | Should -BeNullOrEmpty
    }

    It 'is a clear error where it cannot be had: <Case>' -ForEach @(
        @{ Case = 'noParameter'; Id = 'NotFound'; Category = 'ObjectNotFound'; Says = 'ssm:/nowhere does not exist in eu-central-1'; Advice = 'Check its name' }
        @{ Case = 'noSecret'; Id = 'NotFound'; Category = 'ObjectNotFound'; Says = 'secret:nowhere does not exist'; Advice = 'Check its name' }
        @{ Case = 'denied'; Id = 'PermissionDenied'; Category = 'PermissionDenied'; Says = 'may not be read'; Advice = 'Allow ssm:GetParameter' }
        @{ Case = 'noKey'; Id = 'NotFound'; Category = 'ObjectNotFound'; Says = "has no key 'Token'"; Advice = 'case matters' }
        @{ Case = 'noObject'; Id = 'InvalidInput'; Category = 'InvalidArgument'; Says = 'no JSON object'; Advice = 'hash sign' }
        @{ Case = 'nobody'; Id = 'AuthenticationFailed'; Category = 'AuthenticationError'; Says = "profile 'nobody' gives no AWS credentials"; Advice = 'ProfileName' }
    ) {
        $result = $Results[$Case]
        $result.Id | Should -BeLike "$Id,*"
        $result.Category | Should -Be $Category
        $result.Message | Should -BeLike "*$Says*"
        $result.Advice | Should -BeLike "*$Advice*"
        $result.All | Should -Not -Match $Secret
    }

    It 'works where a cmdlet of the module takes one, and what it holds is never told' {
        $Results.webhook.Id + $Results.webhook.Output + $Results.webhook.Message | Should -Match '-WebhookUri is not an address'
        $Results.webhook | ConvertTo-Json | Should -Not -Match $Secret
        $Log | Should -Contain '200 GetParameter ssm af-south-1 test'
    }
}
