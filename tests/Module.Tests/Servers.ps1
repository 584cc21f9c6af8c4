# Servers on the loopback address for the test files, each stopped by its own process.

# What the engine could find in the surroundings must not decide a test.
Get-ChildItem env: | Where-Object Name -Like 'AWS_*' | Remove-Item
$env:AWS_EC2_METADATA_DISABLED = 'true'

$TestServers = $env:BACKUP_TESTSERVERS
if (-not $TestServers) {
    $TestServers = (Get-ChildItem "$PSScriptRoot/../Backup.TestServers/bin/*/*/Backup.TestServers.dll" | Sort-Object LastWriteTime | Select-Object -Last 1).FullName
}

function Start-Server([string] $Program, [string[]] $Arguments, [string] $Log) {
    $start = [System.Diagnostics.ProcessStartInfo]::new($Program)
    foreach ($argument in $Arguments) { $start.ArgumentList.Add($argument) }
    $start.RedirectStandardOutput = $start.RedirectStandardError = $true
    $process = [System.Diagnostics.Process]::Start($start)
    # Straight into a file: a pipe that nobody empties would stop the server.
    $file = [IO.FileStream]::new($Log, 'Create', 'Write', 'ReadWrite', 1)
    $errors = [IO.FileStream]::new("$Log.err", 'Create', 'Write', 'ReadWrite', 1)
    $null = $process.StandardOutput.BaseStream.CopyToAsync($file)
    $null = $process.StandardError.BaseStream.CopyToAsync($errors)
    [pscustomobject]@{ Process = $process; Url = $null; Log = $Log; Files = $file, $errors }
}

# One of our own servers. It prints its address when it listens; Url has no slash at its end.
function Start-TestServer([string] $Name, [string[]] $Arguments = @()) {
    $log = Join-Path ([IO.Path]::GetTempPath()) "$Name-$([guid]::NewGuid()).log"
    $server = Start-Server dotnet (@($TestServers, $Name) + $Arguments) $log
    $clock = [System.Diagnostics.Stopwatch]::StartNew()
    while ($clock.Elapsed.TotalSeconds -lt 60 -and -not $server.Process.HasExited) {
        if ((Read-Log $server) -match '(http://[\w.]+:\d+)/?\s') { $server.Url = $Matches[1]; return $server }
        Start-Sleep -Milliseconds 50
    }
    throw "The server '$Name' did not start: $(Get-Content "$log.err" -Raw)"
}

# A server that verifies signatures and checksums. Its log has a line for every request.
function Start-StrictS3([string[]] $Arguments = @()) { Start-TestServer s3 (@('--verbose') + $Arguments) }

# moto_server verifies neither; it was written by others, and that is its worth.
function Start-Moto([string] $Bucket) {
    $listener = [System.Net.Sockets.TcpListener]::new([ipaddress]::Loopback, 0)
    $listener.Start(); $port = $listener.LocalEndpoint.Port; $listener.Stop()
    $server = Start-Server (Get-Command moto_server -CommandType Application)[0].Source @('-H', '127.0.0.1', '-p', $port) (Join-Path ([IO.Path]::GetTempPath()) "moto-$([guid]::NewGuid()).log")
    $server.Url = "http://127.0.0.1:$port"
    $clock = [System.Diagnostics.Stopwatch]::StartNew()
    while ($clock.Elapsed.TotalSeconds -lt 60 -and -not $server.Process.HasExited) {
        try { $null = Invoke-WebRequest "$($server.Url)/$Bucket" -Method Put -SkipHttpErrorCheck; return $server } catch { Start-Sleep -Milliseconds 100 }
    }
    throw "moto_server did not start: $(Get-Content "$($server.Log).err" -Raw)"
}

function Stop-Server($Server) {
    if (-not $Server) { return }
    if (-not $Server.Process.HasExited) { $Server.Process.Kill($true); $null = $Server.Process.WaitForExit(10000) }
    $Server.Files | ForEach-Object Dispose
    Remove-Item $Server.Log, "$($Server.Log).err" -ErrorAction SilentlyContinue
}

function Read-Log($Server) {
    $stream = [IO.FileStream]::new($Server.Log, 'Open', 'Read', 'ReadWrite')
    $reader = [IO.StreamReader]::new($stream)
    try { $reader.ReadToEnd() } finally { $reader.Dispose() }
}

# The requests that the strict S3 has answered since there were $Skip of them.
function Get-Request($Server, [int] $Skip = 0) {
    # A line is written after its answer was sent.
    Start-Sleep -Milliseconds 300
    foreach ($line in (Read-Log $Server) -split '\r?\n' | Where-Object { $_ -match '^\d+ \w+ (GET|HEAD|PUT|POST|DELETE) ' } | Select-Object -Skip $Skip) {
        $status, $operation, $method, $path, $rest = $line -split ' '
        [pscustomobject]@{ Status = [int]$status; Operation = $operation; Method = $method; Path = [uri]::UnescapeDataString($path); Line = $line }
    }
}

# Every file and folder: path, kind, mode, time to the tick, and content.
function Get-Tree([string] $Path) {
    Get-ChildItem -LiteralPath $Path -Recurse -Force | Sort-Object FullName -CaseSensitive | ForEach-Object {
        $content = $_ -is [IO.FileInfo] -and -not $_.LinkTarget ? "$($_.Length) $((Get-FileHash -LiteralPath $_.FullName).Hash)" : "-> $($_.LinkTarget)"
        '{0} {1} {2} {3}' -f [IO.Path]::GetRelativePath($Path, $_.FullName), $_.UnixMode, $_.LastWriteTimeUtc.Ticks, $content
    }
}

# A small tree with what goes wrong first: unicode, spaces, brackets, an empty file, modes, a link, and one file of several parts.
function New-Source([string] $Path, [int] $BigBytes = 20MB) {
    $null = New-Item -ItemType Directory "$Path/sub/deeper"
    Set-Content "$Path/a.txt" 'alpha'
    Set-Content -LiteralPath "$Path/sub/b [1] + 100% & more.txt" ('beta ' * 1000)
    [IO.File]::WriteAllBytes("$Path/big.bin", [System.Security.Cryptography.RandomNumberGenerator]::GetBytes($BigBytes))
    [IO.File]::WriteAllBytes("$Path/empty", @())
    Set-Content "$Path/sub/$([char]0xfc)mlaut $([char]0x65e5).txt" 'unicode'
    foreach ($i in 1..20) { Set-Content "$Path/sub/deeper/n$i.txt" $i }
    $time = [datetime]::new(2026, 3, 4, 5, 6, 7, [DateTimeKind]::Utc).AddTicks(1234567)
    Get-ChildItem $Path -Recurse -File | ForEach-Object { $_.LastWriteTimeUtc = $time }
    if (-not $IsWindows) {
        $null = New-Item -ItemType SymbolicLink "$Path/link" -Target 'sub/deeper/n1.txt'
        [IO.File]::SetUnixFileMode("$Path/a.txt", 'UserRead, UserWrite, GroupRead')
        [IO.File]::SetUnixFileMode("$Path/sub/deeper/n1.txt", 'UserRead, UserWrite, UserExecute')
    }
    Get-ChildItem $Path -Recurse -Directory | Sort-Object { -$_.FullName.Length } | ForEach-Object { $_.LastWriteTimeUtc = $time.AddDays(-1) }
}

# The aws of other people, with the keys of the test servers and nothing else; nothing where it is not installed.
function Invoke-Aws([string] $Url) {
    $env:AWS_ACCESS_KEY_ID, $env:AWS_SECRET_ACCESS_KEY, $env:AWS_DEFAULT_REGION = 'test', 'testsecret', 'us-east-1'
    try {
        $output = aws --endpoint-url $Url @args 2>&1
        if ($LASTEXITCODE) { throw "aws ${args}: $output" }
        $output
    }
    finally { Remove-Item env:AWS_ACCESS_KEY_ID, env:AWS_SECRET_ACCESS_KEY, env:AWS_DEFAULT_REGION }
}
$HasAws = [bool](Get-Command aws -CommandType Application -ErrorAction SilentlyContinue)
$Keys = [pscredential]::new('test', (ConvertTo-SecureString 'testsecret' -AsPlainText))
