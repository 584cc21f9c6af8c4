BeforeDiscovery {
    $Missing = 'aws', 'git' | Where-Object { -not (Get-Command $_ -CommandType Application -ErrorAction SilentlyContinue) }
    if ($Missing) { Write-Warning "The drill is skipped: $($Missing -join ' and ') would describe what was lost, and is not there." }
}

BeforeAll { . $PSScriptRoot/Common.ps1 }

Describe 'The disaster drill' -Skip:([bool]$Missing) {
    It 'gives the sources of all five systems back, identical' {
        $output = pwsh -NoProfile -NonInteractive -File $RepositoryRoot/tests/Benchmarks/drill.ps1 -Files 50 -Repositories 2 -Versions 2 -ExportSize 1MB -Module $ModulePath 2>&1 | Out-String
        $LASTEXITCODE | Should -Be 0 -Because $output
        foreach ($system in 'Folders', 'Confluence, Jira', 'GitHub', 'Maven', 'EC2') { $output | Should -Match "(?m)^$system .* True\s*$" }
    }
}
