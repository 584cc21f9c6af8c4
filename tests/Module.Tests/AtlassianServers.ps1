# A site of Atlassian Cloud on the loopback address for the test files. Its log has a line for every request.
$AtlassianToken = 'token-that-must-never-appear-4711'

function Start-Atlassian([string[]] $Arguments) {
    $log = Join-Path ([IO.Path]::GetTempPath()) "atlassian-$([guid]::NewGuid()).log"
    $server = Start-Server dotnet (@($TestServers, 'atlassian', '--verbose', '--polls', '1', '--token', $AtlassianToken) + $Arguments) $log
    $clock = [System.Diagnostics.Stopwatch]::StartNew()
    while ($clock.Elapsed.TotalSeconds -lt 60 -and -not $server.Process.HasExited) {
        if ((Read-Log $server) -match '^(http://\S+)/ ') { $server.Url = $Matches[1]; return $server }
        Start-Sleep -Milliseconds 50
    }
    throw "The Atlassian site did not start: $(Get-Content "$log.err" -Raw)"
}

# The requests that a site, or its media server, has answered.
function Get-SiteRequest($Server, [int] $Skip = 0) {
    # A line is written after its answer was sent.
    Start-Sleep -Milliseconds 300
    foreach ($line in (Read-Log $Server) -split '\r?\n' | Where-Object { $_ -match '^\d+ (site|media) ' } | Select-Object -Skip $Skip) {
        $status, $part, $method, $target, $range = $line -split ' '
        [pscustomobject]@{ Status = [int]$status; Part = $part; Method = $method; Target = $target; Range = "$range" }
    }
}
