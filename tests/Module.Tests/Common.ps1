# What every test file begins with. ATLASSIANBACKUP_MODULE points the tests at another copy, such as an unpacked package.
$ErrorActionPreference = 'Stop'
$RepositoryRoot = (Resolve-Path (Join-Path $PSScriptRoot '../..')).ProviderPath
$ModulePath = $env:ATLASSIANBACKUP_MODULE ? $env:ATLASSIANBACKUP_MODULE : (Join-Path $RepositoryRoot 'AtlassianBackup.psd1')
$ModuleBin = Join-Path (Split-Path $ModulePath) 'module/bin'

# Runs a script in a new PowerShell that has loaded nothing, and gives its output and exit code.
function Invoke-ChildShell([string] $Script, [switch] $AsFile) {
    $file = Join-Path ([IO.Path]::GetTempPath()) "$([guid]::NewGuid()).ps1"
    Set-Content -LiteralPath $file -Value $Script
    try {
        $output = pwsh -NoProfile -NonInteractive -File $file 2>&1 | Out-String
        [pscustomobject]@{ ExitCode = $LASTEXITCODE; Output = $output }
    }
    finally { Remove-Item -LiteralPath $file }
}

# The error that a script block ends with, or the first one that it writes.
function Get-ErrorOf([scriptblock] $Script) {
    $written = $null
    try { $null = & $Script -ErrorVariable written 2>&1 } catch { return $_ }
    $written | Select-Object -First 1
}
