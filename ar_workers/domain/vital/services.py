r"""Services and drivers below `HKLM\SYSTEM\CurrentControlSet\Services` that are Windows' own or an agent's."""

from __future__ import annotations

from .listed import words

SERVICES = (
    words(
        "Windows",
        "https://learn.microsoft.com/windows-server/security/windows-services/security-guidelines-for-disabling-system-services-in-windows-server",
        """
        .net* acpi acpidev acpiex acpipagr acpipmi acpitime adws aelookupsvc afd ajrouter alg amdk8 amdppm amdsata
        amdsbs amdxata appid* appinfo appmgmt appreadiness appvclient appvstrm appvvemgr appxsvc arcsas
        assignedaccessmanagersvc asyncmac atapi audioendpointbuilder audiosrv autotimesvc axinstsv b06bdrv basicdisplay
        basicrender battc bcastdvruserservice* bcmfn2 bdesvc beep bfe bfs bindflt bits bluetoothuserservice* bowser
        brokerinfrastructure browser bthavctpsvc bthenum bthport bthserv bthusb buttonconverter camsvc captureservice*
        cbdhsvc* cdfs cdpsvc cdpusersvc* cdrom certpropsvc certsvc cht4* cimfs circlass cldflt clfs clipsvc cloudidsvc
        clusdisk clussvc cmbatt cng compositebus comsysapp condrv consentuxusersvc* coremessagingregistrar
        credentialenrollmentmanagerusersvc* crypt32 cryptsvc csc cscservice dam dcomlaunch dcsvc defragsvc
        deviceassociationbrokersvc* deviceassociationservice deviceinstall devicepickerusersvc* devicesflowusersvc*
        devquerybroker dfs dfsc dfsr dfsrro dhcp dhcpserver diagnosticshub* diagsvc diagtrack dialogblockingservice disk
        dispbrokerdesktopsvc displayenhancementservice dmenrollmentsvc dmvsc dmwappushservice dns dnscache dosvc dot3svc
        dps drmkaud dsmsvc dssvc dusmsvc dxgkrnl eaphost ebdrv eflowservice efs ehstorclass ehstortcgdrv embeddedmode
        entappsvc errdev ersvc esent eventlog eventsystem exfat fastfat fax fdc fdphost fdrespub fhsvc filecrypt
        fileinfo filetrace flpydisk fltmgr fontcache* frameserver* fs_rec fsdepends fvevol fwpkclnt gameinputsvc
        gencounter genericusbfn gpioclx* gpsvc graphicsperfsvc hdaudbus hidbatt hidbth hidi2c hidir hidserv hidusb http
        hvhost hvservice hvsocket* hwpolicy hyperkbd hypervideo i8042prt iastor* ibbus icssvc ikeext indirectkmd
        installservice intelide intelpep intelppm iorate ipfilterdriver iphlpsvc ipmidrv ipnat ipsecsvc ipt isapnp
        iscsiprt ismserv kbdclass kbdhid kdc kdnic kdssvc keyiso kpssvc ksecdd ksecpkg ksthunk ktmrm lanmanserver
        lanmanworkstation ldap lfsvc licensemanager lltdio lltdsvc lmhosts lsa lsi_sas* lsm luafv lxpsvc lxssmanager*
        mapsbroker mausbhost megasas* messagingservice* midisrv mixedrealityopenxrsvc mlx4_bus mmcss modem monitor
        mouclass mouhid mountmgr mpsdrv mpssvc mrxdav mrxsmb mrxsmb20 msbridge msdtc msefilter msfs msgpiowin32
        mshidkmdf mshidumdf msisadrv msiscsi msiserver mskssrv mslbfo* mslldp mspclock mspqm msquic msrpc msseccore
        mssmbios mstee mtconfig mup mvumis nativewifip naturalauthentication ncasvc ncbservice ncdautosetup ndfltr ndis
        ndiscap ndisimplatform ndistapi ndisuio ndisvirtualbus ndiswan ndkping ndproxy ndu netbios netbt netlogon netman
        netprofm netsetupsvc nettcpportsharing netvsc* ngcctnrsvc ngcsvc nlasvc npfs npsvctrig nsi nsiproxy ntds ntfrs
        ntfs null nvdimm nvme nvraid nvstor onesyncsvc* p2pimsvc p2psvc parport partmgr pcasvc pci pciide pcmcia pcw pdc
        peauth peerdistsvc perceptionsimulation percsas* perfdisk perfhost perfnet perfos perfproc phonesvc
        pimindexmaintenancesvc* pktmon pla plugplay pmem pnpmem pnrpautoreg pnrpsvc policyagent portcfg power
        pptpminiport printnotify printworkflowusersvc* processor profsvc psched pushtoinstall qwave qwavedrv ramdisk
        rasacd rasagilevpn rasauto rasl2tp rasman raspppoe rassstp rdbss rdma rdpbus rdpdr rdpnp rdpvideominiport refs
        refsv1 remoteaccess remoteregistry retaildemo rhproxy rmsvc rpceptmapper rpclocator rpcss rspndr s3cap samss
        sbp2port scardsvr scdeviceenum scfilter schedule scmbus scpolicysvc sdbus sdfrd sdrsvc sdstor seclogon
        securityhealthservice semgrsvc sens sensordataservice sensorservice sensrsvc sercx* serenum serial sermouse
        sessionenv sgrmagent sgrmbroker sharedaccess sharedrealitysvc shellhwdetection shpamsvc sisraid* smphost
        smsrouter snmptrap spaceparser spaceport spatialgraphfilter spectrum spooler sppsvc srv srv2 srvnet ssdpsrv
        ssh-agent sshd sstpsvc staterepository stexstor stisvc storahci storflt stornvme storqosflt storsvc storufs
        storvsc svsvc swenum swprv synth3dvsc sysmain systemeventsbroker tabletinputservice tapisrv tcpip tcpip6
        tcpipreg tcpiptunnel tdx termdd terminput termservice textinputmanagementservice themes tieringengineservice
        timebroker* tokenbroker tpm trkwks troubleshootingsvc trustedinstaller tsusb* ttdrecord* tunnel tzautoupdate
        ualsvc uaspstor ucmcx* ucmtcpci* ucmucsi* ucx01000 udecx udfs udkusersvc* uefi uevagent* ufx* umbus umpass
        umrdpservice unistoresvc* upnphost urschipidea urscx* urssynopsys usbccgp usbcir usbehci usbhub usbhub3 usbohci
        usbprint usbser usbstor usbuhci usbvideo usbxhci userdatasvc* usermanager usosvc vaultsvc vdrvroot vds
        verifierext vga vgapnp vhdmp vhf vid vmbus* vmcompute vmgid vmic* vmms volmgr* volsnap volume vpci vsmraid vss
        vstxraid vwifibus vwififlt w32time w3svc waasmedicsvc walletservice wanarp* warpjitsvc was wbengine wbiosrvc
        wcifs wcmsvc wcncsvc wdf01000 wdi* wdiservicehost wdisystemhost wdmcompanionfilter webclient webthreatdef*
        wecsvc wephostsvc wercplsupport wersvc wfdsconmgrsvc wfplwfs wiarpc wimmount windowstrustedrt*
        winhttpautoproxysvc winmad winmgmt winnat winquic winrm winsock* winverbs wisvc wlansvc wlidsvc wlms wlpasvc
        wmansvc wmiacpi wmiapsrv wmpnetworksvc wof workfolderssvc wpcmonsvc wpdbusenum wpdupfltr wpnservice
        wpnuserservice* ws2ifsl wsearch wuauserv wudf* wwansvc xblauthmanager xblgamesave xboxgipsvc xboxnetapisvc
        """,
    ),
    words(
        "Microsoft Defender",
        "https://learn.microsoft.com/defender-endpoint/switch-to-mde-phase-2",
        "windefend wdfilter wdboot wdnisdrv wdnissvc wscsvc sense mdcoresvc mpksl* mssecflt mssecwfp mssecrootkit senseecs sgrm*",
    ),
    words(
        "CrowdStrike",
        "https://falcon.eu-1.crowdstrike.com/support/documentation/23/falcon-sensor-for-windows",
        "csagent csfalconservice csboot csdevicecontrol csfirmwareanalysis cspcm",
    ),
    words(
        "SentinelOne",
        "https://www.sonicwall.com/support/knowledge-base/sentinelone-s1-excluding-s1-from-third-party-av/kA1VN0000000Ff90AE",
        "sentinel* logprocessorservice",
    ),
    words(
        "Carbon Black Cloud",
        "https://docs.vmware.com/en/VMware-Carbon-Black-Cloud: sensor installation guide",
        "cbdefense* ctifile ctinet",
    ),
    words(
        "Carbon Black EDR",
        "https://knowledge.broadcom.com/external/article/288103/which-sensor-directories-need-exclusion.html",
        "carbonblack* cbstream cbk7 cbelam",
    ),
    words(
        "Cortex XDR",
        "https://docs-cortex.paloaltonetworks.com/r/Cortex-XDR/Cortex-XDR-Agent-Administrator-Guide",
        "cyserver cyverak cyvrfsfd cyvrlpc cyvrmtgn cyveraservice tdevflt telam tlaservice tedrdrv",
    ),
)
