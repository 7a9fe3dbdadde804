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
    name=$(printf '%s' "${1##*/}" | tr 'A-Z' 'a-z')
    for each in $VITAL_PROCESSES; do
        [ "$each" != "$name" ] || { printf '%s' "$each"; return; }
    done
    if is_below "$(spelled "$1")" "$SENSOR_FILES"; then printf '%s' "$name"; fi
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
    is_vital_file "$path" && say mismatch 'a system or sensor file: never touched by automation'
    rm -f -- "$path" 2>/dev/null
    is_gone "$path" || say locked 'the file cannot be deleted'
    say 'done' 'deleted'
}

case $verb in
kill_unless_vital) kill_process ;;
delete_file | delete_confirmed_file) delete_file ;;
*) say failed 'an order that this script does not know' ;;
esac
