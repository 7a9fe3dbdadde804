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

# vital: written by tests/edr/vital_copies.py
VITAL_PROCESSES='
system registry smss.exe csrss.exe wininit.exe winlogon.exe services.exe lsass.exe lsaiso.exe lsm.exe svchost.exe fontdrvhost.exe
dwm.exe logonui.exe userinit.exe ntoskrnl.exe vmms.exe vmcompute.exe clussvc.exe dns.exe ntfrs.exe dfsrs.exe msmpeng.exe
nissrv.exe mpdefendercoreservice.exe mpcmdrun.exe configsecuritypolicy.exe securityhealthservice.exe mssense.exe sensecncproxy.exe
sensesampleuploader.exe senseir.exe sensecm.exe sensendr.exe sensece.exe sensetvm.exe sensetracer.exe sensedlpprocessor.exe
wdavdaemon csfalconservice.exe csfalconcontainer.exe falcond falcon-sensor falcon-sensor-bpf com.crowdstrike.falcon.agent
sentinelagent.exe sentinelagentworker.exe sentinelservicehost.exe sentinelstaticengine.exe sentinelstaticenginescanner.exe
sentinelhelperservice.exe sentinelmemoryscanner.exe sentineld sentineld_helper sentineld_guard sentinel-agent repmgr.exe
reputils.exe repux.exe repwmiutils.exe repwav.exe scanhost.exe repmgr cbagentd cb.exe cbosxsensorservice cbdigitalsignaturehelper
cbdaemon com.carbonblack.es-loader.es-extension cyserver.exe cyveraservice.exe tlaservice.exe twdservice.exe cyvragentsvc.exe
traps_pmd launchd kernel_task windowserver loginwindow opendirectoryd securityd trustd syspolicyd sysextd endpointsecurityd amfid
tccd configd diskarbitrationd coreservicesd notifyd logd fseventsd mds_stores apfsd systemd init sshd systemd-logind dbus-daemon
'
SYSTEM_FILES='
/.vol
/.nofollow
/.resolve
/bin
/dev
/etc
/sbin
/system
/usr/bin
/usr/lib
/usr/libexec
/usr/sbin
/usr/share
/usr/standalone
/var/db
/library/apple
/library/extensions
/library/keychains
/library/preferences/systemconfiguration
/library/security
/library/systemextensions
/users/*/library/keychains
/boot
/lib
/lib64
/proc
/sys
'
SENSOR_FILES='
/applications/microsoft defender.app
/library/application support/microsoft/defender
/library/launch*/com.microsoft.fresno*
/library/launch*/com.microsoft.wdav*
/opt/microsoft/mdatp
/var/opt/microsoft/mdatp
/applications/falcon.app
/library/application support/crowdstrike
/library/cs
/library/launch*/com.crowdstrike.*
/opt/crowdstrike
/applications/sentinelone
/applications/sentinelone*.app
/library/sentinel
/library/launch*/com.sentinelone.*
/opt/sentinelone
/applications/confer.app
/applications/*carbon black cloud*
/library/application support/com.vmware.carbonblack.cloud
/library/launch*/com.carbonblack.*
/library/launch*/com.vmware.carbonblack.*
/opt/carbonblack
/applications/carbonblack
/applications/*carbon black edr*
/var/lib/cb
/applications/cortex xdr.app
/library/application support/paloaltonetworks
/library/launch*/com.paloaltonetworks.*
/opt/traps
'
# end of vital

# Whether a path is, or lies below, an entry of a list. A `*` of an entry may match more here than one name: that only spares more.
is_below() {
    set -f
    found=1
    while IFS= read -r each; do
        # shellcheck disable=SC2254 # an entry is a pattern
        case "$1" in
            $each | $each/*) [ -z "$each" ] || found=0 ;;
        esac
    done <<LIST
$2
LIST
    set +f
    return $found
}

# How the lists write a path: small letters, no doubled slash, and one name where macOS has several.
spelled() {
    printf %s "$1" | tr 'A-Z' 'a-z' | tr -s / | sed -e 's,^/system/volumes/data/,/,' -e 's,^/private/,/,' -e 's,^/volumes/[^/]*/,/,'
}

# The path of a file without links on the way.
real() { printf '%s/%s' "$(cd "$(dirname "$1")" 2>/dev/null && pwd -P)" "$(basename "$1")"; }

is_vital_file() {
    for where in "$(spelled "$1")" "$(spelled "$(real "$1")")"; do
        if is_below "$where" "$SYSTEM_FILES" || is_below "$where" "$SENSOR_FILES"; then return 0; fi
    done
    return 1
}

# The name of the vital process that an image is; whatever runs from a sensor's folder is the sensor's.
vital() {
    local name each
    name=$(printf %s "${1##*/}" | tr 'A-Z' 'a-z')
    for each in $VITAL_PROCESSES; do
        [ "$each" != "$name" ] || { printf %s "$each"; return; }
    done
    if is_below "$(spelled "$1")" "$SENSOR_FILES"; then printf %s "$name"; fi
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
    is_vital_file "$path" && tell mismatch "a system or sensor file: never touched by automation"
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
