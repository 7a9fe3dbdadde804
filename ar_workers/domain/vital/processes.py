"""Processes that keep an endpoint alive, in the domain, or watched: Windows, macOS, Linux and the six agents."""

from __future__ import annotations

from .listed import words

PROCESSES = (
    words(
        "Windows",
        "https://learn.microsoft.com/sysinternals/resources/windows-internals: 7th edition, part 1, chapter 2",
        """
        system registry smss.exe csrss.exe wininit.exe winlogon.exe services.exe lsass.exe lsaiso.exe lsm.exe svchost.exe
        fontdrvhost.exe dwm.exe logonui.exe userinit.exe ntoskrnl.exe vmms.exe vmcompute.exe clussvc.exe dns.exe ntfrs.exe dfsrs.exe
        """,
    ),
    words(
        "Microsoft Defender",
        "https://learn.microsoft.com/defender-endpoint/switch-to-mde-phase-2 (what other products are to leave alone)",
        """
        msmpeng.exe nissrv.exe mpdefendercoreservice.exe mpcmdrun.exe configsecuritypolicy.exe securityhealthservice.exe
        mssense.exe sensecncproxy.exe sensesampleuploader.exe senseir.exe sensecm.exe sensendr.exe sensece.exe sensetvm.exe
        sensetracer.exe sensedlpprocessor.exe wdavdaemon
        """,
    ),
    words(
        "CrowdStrike",
        "https://falcon.eu-1.crowdstrike.com/support/documentation/23/falcon-sensor-for-windows",
        "csfalconservice.exe csfalconcontainer.exe falcond falcon-sensor falcon-sensor-bpf com.crowdstrike.falcon.agent",
    ),
    words(
        "SentinelOne",
        "https://www.sonicwall.com/support/knowledge-base/sentinelone-s1-excluding-s1-from-third-party-av/kA1VN0000000Ff90AE",
        """
        sentinelagent.exe sentinelagentworker.exe sentinelservicehost.exe sentinelstaticengine.exe sentinelstaticenginescanner.exe
        sentinelhelperservice.exe sentinelmemoryscanner.exe sentineld sentineld_helper sentineld_guard sentinel-agent
        """,
    ),
    words(
        "Carbon Black Cloud",
        "https://docs.vmware.com/en/VMware-Carbon-Black-Cloud: sensor installation guide",
        "repmgr.exe reputils.exe repux.exe repwmiutils.exe repwav.exe scanhost.exe repmgr cbagentd",
    ),
    words(
        "Carbon Black EDR",
        "https://knowledge.broadcom.com/external/article/288103/which-sensor-directories-need-exclusion.html",
        "cb.exe cbosxsensorservice cbdigitalsignaturehelper cbdaemon com.carbonblack.es-loader.es-extension",
    ),
    words(
        "Cortex XDR",
        "https://docs-cortex.paloaltonetworks.com/r/Cortex-XDR/Cortex-XDR-Agent-Administrator-Guide",
        "cyserver.exe cyveraservice.exe tlaservice.exe twdservice.exe cyvragentsvc.exe traps_pmd",
    ),
    words(
        "macOS",
        "https://support.apple.com/guide/security/welcome/web and launchd(8)",
        """
        launchd kernel_task windowserver loginwindow opendirectoryd securityd trustd syspolicyd sysextd endpointsecurityd amfid tccd
        configd diskarbitrationd coreservicesd notifyd logd fseventsd mds_stores apfsd
        """,
    ),
    words("Linux", "https://www.freedesktop.org/software/systemd/man/latest/systemd.html", "systemd init sshd systemd-logind dbus-daemon"),
)
