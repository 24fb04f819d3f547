using System.ComponentModel.DataAnnotations;

namespace Sekisho.Gateway.Tls;

/// <summary>Settings of section "Gateway:Tls".</summary>
public sealed class TlsSettings : IValidatableObject
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

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        foreach (var (name, file) in ((string, string)[])[(nameof(CertificateFile), CertificateFile), (nameof(KeyFile), KeyFile)])
        {
            if (file.Length > 0 && !File.Exists(file))
            {
                yield return new ValidationResult($"there is no file '{file}'. Give a PEM file.", [name]);
            }
        }

        if (CertificateFile.Length == 0 && KeyFile.Length > 0)
        {
            yield return new ValidationResult($"'{KeyFile}' is the key of no certificate. Give Gateway:Tls:CertificateFile too.", [nameof(KeyFile)]);
        }

        foreach (var wrong in Names.Where(n => Uri.CheckHostName(n) is UriHostNameType.Unknown or UriHostNameType.Basic))
        {
            yield return new ValidationResult($"'{wrong}' is no host name or IP address.", [nameof(Names)]);
        }
    }
}
