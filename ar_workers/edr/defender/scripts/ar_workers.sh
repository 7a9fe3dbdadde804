#!/bin/bash
# Kills one process or deletes one file: only what its argument identifies, checked and done in one run; says which in one line.
# The argument is base64url of a JSON object whose values are base64url themselves: none is ever read as code.
set -u
export LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin

decode() {
    local text
    text=$(printf %s "$1" | tr '_-' '/+')
    while [ $((${#text} % 4)) -ne 0 ]; do text="$text="; done
    printf %s "$text" | base64 -d 2>/dev/null || printf %s "$text" | base64 -D
}

plain() { printf %s "$wish" | sed -n "s/.*\"$1\":\"\([A-Za-z0-9_-]*\)\".*/\1/p"; }

field() { decode "$(plain "$1")"; }

# Outcomes: done, absent, mismatch, locked, failed, and vital, whose reason is the process's name.
# Reasons are fixed words, so that nothing found here can forge an answer.
tell() {
    printf '{"mark":"%s","outcome":"%s","reason":"%s"}\n' "$mark" "$1" "$2"
    exit 0
}

# A copy of what domain/paths.py holds, which a test compares.
VITAL_PROCESSES='
system registry smss.exe csrss.exe wininit.exe winlogon.exe services.exe lsass.exe lsaiso.exe svchost.exe msmpeng.exe
csfalconservice.exe csfalconcontainer.exe sentinelagent.exe repmgr.exe cb.exe cyserver.exe mssense.exe
launchd kernel_task windowserver loginwindow systemd init sshd falcond
'

# The name of the vital process that an image is.
vital() {
    local name each
    name=$(printf %s "${1##*/}" | tr 'A-Z' 'a-z')
    for each in $VITAL_PROCESSES; do
        [ "$each" != "$name" ] || printf %s "$each"
    done
}

# Nothing where the file cannot be read to its end.
hash_of() {
    local found
    found=$(if command -v sha256sum >/dev/null; then sha256sum <"$1"; else shasum -a 256 <"$1"; fi 2>/dev/null) && printf %s "${found%% *}"
}

# What cannot be read is neither what was meant nor another.
confirm() {
    [ -n "$1" ] || tell locked "$3 is locked or cannot be read"
    [ "$1" = "$2" ] || tell mismatch "$3 has another SHA-256"
}

# Whether nothing is at a path: the nearest folder above it that is there can be listed.
is_gone() {
    local above
    [ ! -e "$1" ] && [ ! -L "$1" ] || return 1
    above=$(dirname -- "$1")
    while [ ! -e "$above" ]; do above=$(dirname -- "$above"); done
    [ ! -d "$above" ] || ls -A -- "$above" >/dev/null 2>&1
}

is_alive() {
    local state
    state=$(ps -p "$1" -o stat= | tr -d ' ')
    [ -n "$state" ] && [ "${state#Z}" = "$state" ]
}

started_at() {
    local text
    text=$(TZ=UTC0 ps -p "$1" -o lstart=)
    date -u -d "$text" +%s 2>/dev/null || date -j -u -f "%a %b %e %T %Y" "$text" +%s
}

kill_process() {
    local pid path sha256 started image shown vital difference
    pid=$(field pid) path=$(field path) sha256=$(field sha256) started=$(field started)
    case $pid in '' | *[!0-9]* | 0 | 1) tell failed "no pid that may be killed" ;; esac
    [ -n "$path$sha256$started" ] || tell failed "nothing confirms the pid"
    is_alive "$pid" || tell absent "no such process"
    if [ -e "/proc/$pid/exe" ]; then
        # The link still leads to the image after its file was deleted.
        image=/proc/$pid/exe shown=$(readlink "$image")
        shown=${shown% (deleted)}
    else
        image=$(ps -p "$pid" -o comm=) shown=$image
    fi
    [ -n "$shown" ] || tell mismatch "its image is not shown"
    vital=$(vital "$shown")
    [ -z "$vital" ] || tell vital "$vital"
    # A hash outweighs a name: the same content under another one is still what was meant.
    [ -n "$sha256" ] || [ -z "$path" ] || [ "$path" = "$shown" ] || tell mismatch "its image is another"
    [ -z "$sha256" ] || confirm "$(hash_of "$image")" "$sha256" "its image"
    if [ -n "$started" ]; then
        difference=$(($(started_at "$pid") - started))
        [ "${difference#-}" -le 2 ] || tell mismatch "it started at another time"
    fi
    kill -9 "$pid" 2>/dev/null
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        is_alive "$pid" || tell "done" "killed"
        sleep 1
    done
    tell failed "it did not end"
}

delete_file() {
    local path sha256 real
    path=$(field path) sha256=$(field sha256)
    case $path in /*/*) ;; *) tell failed "no absolute path" ;; esac
    [ ! -L "$path" ] || tell mismatch "it is a link"
    if is_gone "$path"; then tell absent "no file at that path"; fi
    [ -e "$path" ] || tell locked "its folder cannot be read"
    [ -f "$path" ] || tell mismatch "it is no file"
    if [ -n "$sha256" ]; then
        confirm "$(hash_of "$path")" "$sha256" "the file"
    else
        # Without a hash the place must be the one named, not where a linked folder leads; macOS has its own links to /private.
        real=$(cd "$(dirname "$path")" && pwd -P)/$(basename "$path")
        [ "${real#/private}" = "${path#/private}" ] || tell mismatch "a folder on its path is a link"
    fi
    rm -f -- "$path" 2>/dev/null
    is_gone "$path" || tell locked "it cannot be deleted"
    tell "done" "deleted"
}

wish=$(decode "${1:-}")
mark=$(plain mark)
case $(plain verb) in
    kill_process) kill_process ;;
    delete_file) delete_file ;;
    *) tell failed "no such verb here" ;;
esac
