namespace Sekisho.Traffic.Labels;

/// <summary>Which protocol speaks on which port: registered ports of IANA, and those that a protocol's own specification or its makers name. One line each: label, transports, ports.</summary>
internal static class ServiceList
{
    /// <summary>Ports of TCP (t), UDP (u) and SCTP (s).</summary>
    public const string Ports = """
        # factory
        modbus             tu  502
        modbus-tls         t   802
        s7                 t   102
        ethernet-ip        tu  44818
        ethernet-ip-io     tu  2222
        ethernet-ip-tls    tu  2221
        opc-ua             tu  4840
        opc-ua-tls         t   4843
        slmp               tu  5007 5010 45237 61451
        melsoft            tu  5002 5006 5008
        cc-link-ie-basic   u   61450
        fl-net             u   55000-55003
        fins               tu  9600
        profinet-cm        u   34962-34964
        ethercat           tu  34980
        focas              t   8193
        ads                tu  48898
        codesys            tu  1217 1740-1743 2455 11740-11743
        crimson            t   789
        pcworx             t   1962
        ge-srtp            t   18245 18246
        proconos           t   20547
        hart-ip            tu  5094
        ff-hse             tu  1089-1091
        mewtocol           tu  9094
        kv-upperlink       tu  8501
        niagara-fox        t   1911
        niagara-foxs       t   4911
        powerlink          u   3819
        sercos             u   35021
        mtconnect          t   7878

        # energy and telecontrol
        dnp3               tu  20000
        dnp3-tls           tu  19999
        iec-104            t   2404
        iec-104-tls        t   19998
        synchrophasor      tu  4712 4713
        dlms               tu  4059

        # buildings and homes
        bacnet             tu  47808-47817
        knx                tu  3671
        echonet-lite       tu  3610
        lonworks           tu  1628 1629
        zigbee-ip          tu  17754-17756
        matter             tu  5540
        ws-discovery       tu  3702
        onvif              t   8899
        homekit            t   51826 51827
        tuya               tu  6666-6668
        kasa               tu  9999
        lifx               u   56700
        dahua              tu  37777 37778
        dicom              t   104 11112
        hl7                t   2575

        # messages of things
        mqtt               t   1883
        mqtts              t   8883
        mqtt-sn            u   1884
        coap               tu  5683
        coaps              tu  5684
        lwm2m-bootstrap    u   5783 5784
        amqp               ts  5672
        amqps              t   5671
        xmpp               t   5222 5269
        stomp              t   61613
        nats               t   4222
        kafka              t   9092
        dds                u   7400-7413
        lorawan-forwarder  u   1700
        loriot             t   3001

        # voice and pictures
        rtsp               tu  554 8554
        rtsps              t   322
        rtp                u   5004
        rtcp               u   5005
        sip                tus 5060
        sips               t   5061
        stun               tu  3478 19302-19309
        stuns              tu  5349
        h323               t   1720
        rtmp               t   1935
        mgcp               u   2427 2727

        # the network itself
        dns                tu  53
        dns-tls            tu  853
        mdns               u   5353
        llmnr              tu  5355
        nbns               u   137
        netbios            tu  138 139
        dhcp               u   67 68
        dhcpv6             u   546 547
        ntp                u   123
        ntske              t   4460
        ptp                u   319 320
        ssdp               u   1900
        upnp               t   2869 5000
        nat-pmp            u   5350 5351
        snmp               tu  161
        snmptrap           tu  162
        syslog             tu  514
        syslog-tls         tu  6514
        netflow            u   2055 9995 9996
        sflow              u   6343
        ipfix              tus 4739
        radius             tu  1812 1813 1645 1646
        radsec             t   2083
        tacacs             t   49
        kerberos           tu  88
        kpasswd            tu  464
        ldap               tu  389
        ldaps              t   636
        tftp               u   69
        bgp                t   179
        rip                u   520
        ripng              u   521
        glbp               u   3222
        hsrp               u   1985
        capwap             u   5246 5247
        vxlan              u   4789
        geneve             u   6081
        gtp                u   2123 2152
        ike                u   500 4500
        openvpn            tu  1194
        l2tp               u   1701
        pptp               t   1723
        wireguard          u   51820
        dhcp-failover      t   647
        iperf              tu  5001 5201

        # computers
        http               t   80 8080 8000 8008 8081 8088
        https              t   443 8443
        quic               u   443 80 8443
        ssh                t   22
        telnet             t   23 992
        ftp                t   21 20
        ftps               t   990 989
        smtp               t   25 587
        smtps              t   465
        pop3               t   110
        pop3s              t   995
        imap               t   143
        imaps              t   993
        smb                tu  445
        nfs                tu  2049
        rpcbind            tu  111
        msrpc              tu  135
        rdp                tu  3389
        vnc                t   5900-5903
        mssql              t   1433
        mssql-browser      u   1434
        mysql              t   3306
        postgresql         t   5432
        oracle             t   1521
        mongodb            t   27017
        redis              t   6379
        memcached          tu  11211
        influxdb           t   8086
        prometheus         t   9090 9100
        elasticsearch      t   9200 9300
        docker             t   2375 2376
        ipp                tu  631
        lpd                t   515
        jetdirect          t   9100
        afp                t   548
        adb                t   5555
        tr-069             t   7547
        x11                t   6000
        irc                t   6667 6697
        socks              t   1080
        rsync              t   873
        git                t   9418
        zabbix             t   10050 10051
        nrpe               t   5666
        ipmi               u   623
        """;

    /// <summary>Frames without IP, by EtherType; below 0x0600 the DSAP of LLC.</summary>
    public const string EtherTypes = """
        arp                0x0806
        wake-on-lan        0x0842
        rarp               0x8035
        ipx                0x8137 0x00E0
        eapol              0x888E
        profinet           0x8892
        ethercat           0x88A4
        powerlink          0x88AB
        goose              0x88B8
        gse                0x88B9
        sampled-values     0x88BA
        lldp               0x88CC
        sercos             0x88CD
        homeplug           0x88E1
        mrp                0x88E3
        macsec             0x88E5
        pbb                0x88E7
        ptp                0x88F7
        prp                0x88FB
        cfm                0x8902
        fcoe               0x8906
        cc-link-ie         0x890F
        hsr                0x892F
        tsn                0x22F0 0x22EA 0xF1C1
        trill              0x22F3
        pppoe-discovery    0x8863
        pppoe              0x8864
        slow-protocols     0x8809
        flow-control       0x8808
        loopback           0x9000
        mpls               0x8847 0x8848
        dec-mop            0x6001 0x6002
        realtek            0x8899
        bacnet-ethernet    0x0082
        stp                0x0042
        snap               0x00AA
        netbios            0x00F0
        is-is              0x00FE
        """;

    /// <summary>Protocols above IP that have no ports.</summary>
    public const string Protocols = """
        icmp               1
        igmp               2
        ip-in-ip           4
        ipv6-in-ip         41
        rsvp               46
        gre                47
        esp                50
        ah                 51
        icmpv6             58
        eigrp              88
        ospf               89
        pim                103
        vrrp               112
        l2tp               115
        """;
}
