# A site of Atlassian Cloud on the loopback address for the test files. Its log has a line for every request.
$AtlassianToken = 'token-that-must-never-appear-4711'

function Start-Atlassian([string[]] $Arguments = @()) { Start-TestServer atlassian (@('--verbose', '--polls', '1', '--token', $AtlassianToken) + $Arguments) }

# The requests that a site, or its media server, has answered.
function Get-SiteRequest($Server, [int] $Skip = 0) {
    # A line is written after its answer was sent.
    Start-Sleep -Milliseconds 300
    foreach ($line in (Read-Log $Server) -split '\r?\n' | Where-Object { $_ -match '^\d+ (site|media) ' } | Select-Object -Skip $Skip) {
        $status, $part, $method, $target, $range = $line -split ' '
        [pscustomobject]@{ Status = [int]$status; Part = $part; Method = $method; Target = $target; Range = "$range" }
    }
}
