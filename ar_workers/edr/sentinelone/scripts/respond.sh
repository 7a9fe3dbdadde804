#!/bin/sh
# RemoteOps script for macOS and Linux: upload it as type `action`, input required, and put its id into `scripts`.
# Its one argument is an order as base64url of flat JSON (see remoteops.py). It confirms, acts, and prints one line of JSON.
set -u
LC_ALL=C
export LC_ALL

word=${1:-}
case $((${#word} % 4)) in 2) word="${word}==" ;; 3) word="${word}=" ;; esac
plain() { tr -- '_-' '/+' | { base64 -d 2>/dev/null || base64 -D; }; }
json=$(printf '%s' "$word" | plain)
# No value holds a quote or a backslash: the sender refuses those.
field() { printf '%s' "$json" | sed -n 's/.*"'"$1"'":"\([^"\\]*\)".*/\1/p'; }

order=$(field order)
verb=$(field verb)
path=$(field path)
sha256=$(field sha256)
sha1=$(field sha1)

say() {
    detail=$(printf '%s' "$2" | tr -d '"\\' | tr '\000-\037\177' ' ')
    printf '{"ar_workers":"%s","outcome":"%s","detail":"%s"}\n' "$order" "$1" "$detail"
    [ "$1" != failed ]
    exit
}

# A copy of what domain/paths.py holds, which a test compares.
VITAL_PROCESSES='
system registry smss.exe csrss.exe wininit.exe winlogon.exe services.exe lsass.exe lsaiso.exe svchost.exe msmpeng.exe
csfalconservice.exe csfalconcontainer.exe sentinelagent.exe repmgr.exe cb.exe cyserver.exe mssense.exe
launchd kernel_task windowserver loginwindow systemd init sshd falcond
'

# The name of the vital process that an image is.
vital() {
    name=$(printf '%s' "${1##*/}" | tr 'A-Z' 'a-z')
    for each in $VITAL_PROCESSES; do
        [ "$each" != "$name" ] || printf '%s' "$each"
    done
}

# Nothing where the file cannot be read to its end.
sha256_of() {
    found=$(if command -v sha256sum >/dev/null; then sha256sum <"$1"; else shasum -a 256 <"$1"; fi 2>/dev/null) && printf '%s' "${found%% *}"
}

sha1_of() {
    found=$(if command -v sha1sum >/dev/null; then sha1sum <"$1"; else shasum -a 1 <"$1"; fi 2>/dev/null) && printf '%s' "${found%% *}"
}

seconds() { date -u -d "$1" +%s 2>/dev/null || date -j -u -f '%Y-%m-%dT%H:%M:%SZ' "$1" +%s 2>/dev/null; }
started_at() {
    text=$(ps -p "$1" -o lstart=)
    date -d "$text" +%s 2>/dev/null || date -j -f '%a %b %e %T %Y' "$text" +%s 2>/dev/null
}

is_running() {
    state=$(ps -p "$1" -o stat= 2>/dev/null) || return 1
    case $state in '' | Z*) return 1 ;; esac
}

# Whether nothing is at a path: the nearest folder above it that is there can be listed.
is_gone() {
    [ ! -e "$1" ] && [ ! -L "$1" ] || return 1
    above=$(dirname -- "$1")
    while [ ! -e "$above" ]; do above=$(dirname -- "$above"); done
    [ ! -d "$above" ] || ls -A -- "$above" >/dev/null 2>&1
}

# What cannot be read is neither what was meant nor another.
confirm() {
    [ -n "$1" ] || say locked "$3 is locked or cannot be read"
    [ "$1" = "$2" ] || say mismatch "$4"
}

kill_process() {
    pid=$(field pid)
    started=$(field started)
    case $pid in '' | *[!0-9]* | 0 | 1) say mismatch 'not a pid that may be killed' ;; esac
    [ -n "$path$sha256$started" ] || say mismatch 'a pid alone confirms nothing'
    is_running "$pid" || say absent "no process $pid"
    image=$(readlink "/proc/$pid/exe" 2>/dev/null) || image=$(ps -p "$pid" -o comm=)
    [ -n "$image" ] || say mismatch "the image of pid $pid is not shown"
    vital=$(vital "${image% (deleted)}")
    [ -z "$vital" ] || say vital "$vital"
    # A hash outweighs a name: the same content under another one is still what was meant.
    [ -n "$sha256" ] || [ -z "$path" ] || [ "$path" = "$image" ] || say mismatch "pid $pid runs $image"
    if [ -n "$sha256" ]; then
        confirm "$(sha256_of "$image")" "$sha256" "the image of pid $pid" "the image of pid $pid has another SHA-256"
    fi
    if [ -n "$started" ]; then
        apart=$(($(started_at "$pid") - $(seconds "$started")))
        [ "$apart" -ge -2 ] && [ "$apart" -le 2 ] || say mismatch "pid $pid started at another time"
    fi
    kill -9 "$pid" 2>/dev/null
    for _ in 1 2 3 4 5; do
        is_running "$pid" || say 'done' "killed $pid $image"
        sleep 1
    done
    say failed "pid $pid is still running"
}

delete_file() {
    [ -n "$path" ] || say failed 'no path in the order'
    if is_gone "$path"; then say absent 'no file at that path'; fi
    [ -e "$path" ] || [ -L "$path" ] || say locked 'its folder cannot be read'
    [ -f "$path" ] && [ ! -L "$path" ] || say mismatch 'not a regular file'
    if [ -n "$sha256" ]; then
        confirm "$(sha256_of "$path")" "$sha256" 'the file' 'another file is at that path: its SHA-256 differs'
    fi
    [ -z "$sha1" ] || confirm "$(sha1_of "$path")" "$sha1" 'the file' 'another file is at that path: its SHA-1 differs'
    rm -f -- "$path" 2>/dev/null
    is_gone "$path" || say locked 'the file cannot be deleted'
    say 'done' 'deleted'
}

case $verb in
kill_unless_vital) kill_process ;;
delete_file | delete_confirmed_file) delete_file ;;
*) say failed 'an order that this script does not know' ;;
esac
