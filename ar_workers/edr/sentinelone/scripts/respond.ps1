# RemoteOps script for Windows: upload it as type `action`, input required, and put its id into `scripts`.
# Its one argument is an order as base64url of flat JSON (see remoteops.py). It confirms, acts, and prints one line of JSON.
$ErrorActionPreference = 'Stop'

function Say([string]$outcome, [string]$detail) {
    [Console]::Out.WriteLine((ConvertTo-Json -Compress @{ ar_workers = $wish.order; outcome = $outcome; detail = $detail }))
    exit [int]($outcome -eq 'failed')
}

function Get-Digest([string]$path) {
    try { (Get-FileHash -LiteralPath $path -Algorithm SHA256).Hash.ToLowerInvariant() } catch { '' }
}

function Stop-Confirmed {
    $id = [int64]$wish.pid
    if ($id -le 4) { Say 'mismatch' 'not a pid that may be killed' }
    if (-not ($wish.path -or $wish.sha256 -or $wish.started)) { Say 'mismatch' 'a pid alone confirms nothing' }
    $process = Get-CimInstance Win32_Process -Filter "ProcessId = $id"
    if (-not $process) { Say 'absent' "no process $id" }
    $image = [string]$process.ExecutablePath
    if ($wish.path -and $wish.path -ne $image) { Say 'mismatch' "pid $id runs $image" }
    if ($wish.sha256 -and (Get-Digest $image) -ne $wish.sha256) {
        Say 'mismatch' "the image of pid $id has another SHA-256, or none can be read"
    }
    if ($wish.started) {
        $started = [DateTimeOffset]::Parse($wish.started, [Globalization.CultureInfo]::InvariantCulture).UtcDateTime
        $apart = ($process.CreationDate.ToUniversalTime() - $started).TotalSeconds
        if ([Math]::Abs($apart) -gt 2) { Say 'mismatch' "pid $id started at another time" }
    }
    Stop-Process -Id $id -Force
    foreach ($turn in 1..10) {
        if (-not (Get-Process -Id $id -ErrorAction SilentlyContinue)) { Say 'done' "killed $id $image" }
        Start-Sleep -Milliseconds 500
    }
    Say 'failed' "pid $id is still running"
}

function Remove-ConfirmedFile {
    if (-not (Test-Path -LiteralPath $wish.path)) { Say 'absent' 'no file at that path' }
    $item = Get-Item -LiteralPath $wish.path -Force
    if ($item.PSIsContainer -or $item.Attributes.HasFlag([IO.FileAttributes]::ReparsePoint)) { Say 'mismatch' 'not a regular file' }
    if ($wish.sha256 -and (Get-Digest $wish.path) -ne $wish.sha256) {
        Say 'mismatch' 'another file is at that path: its SHA-256 differs'
    }
    Remove-Item -LiteralPath $wish.path -Force
    if (Test-Path -LiteralPath $wish.path) { Say 'failed' 'the file cannot be deleted' }
    Say 'done' 'deleted'
}

function Remove-Key {
    $hives = @{ HKLM = 'HKEY_LOCAL_MACHINE'; HKCU = 'HKEY_CURRENT_USER'; HKU = 'HKEY_USERS'; HKCR = 'HKEY_CLASSES_ROOT'; HKCC = 'HKEY_CURRENT_CONFIG' }
    $hive, $rest = $wish.key -split '\\', 2
    # The script runs as SYSTEM, whose HKCU is nobody's: the key of a person is named below HKU.
    if ($hive -eq 'HKCU') { Say 'mismatch' 'HKCU of the SYSTEM account is not the one meant: name the key below HKU' }
    $key = "Registry::$($hives[$hive])\$rest"
    if (-not (Test-Path -LiteralPath $key)) { Say 'absent' 'no such key' }
    if (-not $wish.value) {
        Remove-Item -LiteralPath $key -Recurse -Force
        if (Test-Path -LiteralPath $key) { Say 'failed' 'the key cannot be deleted' }
        Say 'done' 'deleted'
    }
    if ((Get-Item -LiteralPath $key).GetValueNames() -notcontains $wish.value) { Say 'absent' 'no such value' }
    Remove-ItemProperty -LiteralPath $key -Name ([WildcardPattern]::Escape($wish.value)) -Force
    if ((Get-Item -LiteralPath $key).GetValueNames() -contains $wish.value) { Say 'failed' 'the value cannot be deleted' }
    Say 'done' 'deleted'
}

$word = ([string]$args[0]).Replace('_', '/').Replace('-', '+')
$word += '=' * ((4 - $word.Length % 4) % 4)
$wish = [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($word)) | ConvertFrom-Json
try {
    switch ($wish.verb) {
        'kill_process' { Stop-Confirmed }
        'delete_file' { Remove-ConfirmedFile }
        'delete_registry_key' { Remove-Key }
        default { Say 'failed' 'an order that this script does not know' }
    }
}
catch { Say 'failed' $_.Exception.Message }
