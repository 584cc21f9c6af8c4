# Runs one Pester file and writes its results as NUnit XML.
param([Parameter(Mandatory)] [string] $Path, [Parameter(Mandatory)] [string] $Output)
$ErrorActionPreference = 'Stop'
Import-Module Pester -MinimumVersion 5.9
$configuration = New-PesterConfiguration
$configuration.Run.Path = $Path
$configuration.Run.PassThru = $true
$configuration.Output.Verbosity = 'Detailed'
$configuration.TestResult.Enabled = $true
$configuration.TestResult.OutputFormat = 'NUnitXml'
$configuration.TestResult.OutputPath = $Output
$result = Invoke-Pester -Configuration $configuration
# A file that cannot be discovered has no failed tests, and is a failure all the same.
exit ($result.Result -eq 'Passed' ? 0 : 1)
