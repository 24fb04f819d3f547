using System.ComponentModel.DataAnnotations;

namespace Sekisho.Gateway.Tls;

/// <summary>Settings of section "Gateway:Tls".</summary>
public sealed class TlsSettings
{
    /// <summary>PEM file with the server's certificate chain; empty to use the private CA.</summary>
    public string CertificateFile { get; set; } = "";

    /// <summary>PEM file with the private key of <see cref="CertificateFile"/>.</summary>
    public string KeyFile { get; set; } = "";

    /// <summary>Host names and addresses that devices and browsers use, for the certificate of the private CA; localhost and the host's name are always in it.</summary>
    public string[] Names { get; set; } = [];

    /// <summary>Days that a certificate of the private CA is valid; it is renewed by itself when a third is left.</summary>
    [Range(2, 397)]
    public int Days { get; set; } = 90;
}
