using System.Buffers;
using System.Buffers.Text;

namespace Sekisho.Detection.Conditions.Files;

/// <summary>What a file's content is by its beginning: only what runs or holds other files is told apart.</summary>
internal enum FileContent : byte
{
    /// <summary>Nothing of the following.</summary>
    Unknown,

    /// <summary>A program of Windows.</summary>
    Pe,

    /// <summary>A program of Linux.</summary>
    Elf,

    /// <summary>A program of macOS, or a class of Java.</summary>
    MachO,

    /// <summary>A script.</summary>
    Script,

    /// <summary>A ZIP archive, or a document or application that is one.</summary>
    Zip,

    /// <summary>An archive of another kind.</summary>
    Archive,
}

/// <summary>Recognises contents in JSON strings: in base64, with or without a data URI before it, or as plain text. Pure.</summary>
internal static class FileContents
{
    private const int Characters = 32;

    /// <summary>Looks at the beginning of a content.</summary>
    /// <param name="raw">The JSON string as it is written, without its quotation marks.</param>
    /// <param name="declaresMedia">True when a data URI declares a picture, a sound or a video.</param>
    public static FileContent Of(ReadOnlySpan<byte> raw, out bool declaresMedia)
    {
        Span<byte> text = stackalloc byte[512];
        text = text[..JsonText.Unescape(raw, text)];
        declaresMedia = false;
        if (text.StartsWith("data:"u8) && text.IndexOf((byte)',') is var comma and > 0)
        {
            var type = text[5..comma];
            declaresMedia = type.StartsWith("image/"u8) || type.StartsWith("audio/"u8) || type.StartsWith("video/"u8);
            text = text[(comma + 1)..];
        }

        text = text.TrimStart(" \t\r\n"u8);
        Span<byte> characters = stackalloc byte[Characters];
        var length = 0;
        foreach (var character in text)
        {
            if (length == Characters || character == '=')
            {
                break;
            }

            if (character is not ((byte)'\r' or (byte)'\n'))
            {
                // The form for addresses has two other characters.
                characters[length++] = character switch { (byte)'-' => (byte)'+', (byte)'_' => (byte)'/', _ => character };
            }
        }

        Span<byte> bytes = stackalloc byte[Characters];
        return length >= 4 && Base64.DecodeFromUtf8(characters[..(length / 4 * 4)], bytes, out _, out var decoded) == OperationStatus.Done ? Begins(bytes[..decoded]) : Begins(text);
    }

    /// <summary>A name for evidence, the same in every language.</summary>
    public static string Name(FileContent content) => content switch
    {
        FileContent.Pe => "PE/MZ",
        FileContent.Elf => "ELF",
        FileContent.MachO => "Mach-O/class",
        FileContent.Script => "script",
        FileContent.Zip => "ZIP",
        FileContent.Archive => "RAR/7z/gzip",
        _ => "",
    };

    private static FileContent Begins(ReadOnlySpan<byte> bytes)
    {
        // Texts begin with these two letters as well; a program has zeros soon after.
        if (bytes.StartsWith("MZ"u8))
        {
            return bytes.IndexOf((byte)0) >= 0 ? FileContent.Pe : FileContent.Unknown;
        }

        return bytes.StartsWith("\u007fELF"u8) ? FileContent.Elf
            : bytes.StartsWith((ReadOnlySpan<byte>)[0xCF, 0xFA, 0xED, 0xFE]) || bytes.StartsWith((ReadOnlySpan<byte>)[0xCE, 0xFA, 0xED, 0xFE]) || bytes.StartsWith((ReadOnlySpan<byte>)[0xCA, 0xFE, 0xBA, 0xBE]) ? FileContent.MachO
            : bytes.StartsWith("#!/"u8) || bytes.StartsWith("#! /"u8) || bytes.StartsWith("<?php"u8) || bytes.StartsWith("<script"u8) ? FileContent.Script
            : bytes.StartsWith("PK\u0003\u0004"u8) ? FileContent.Zip
            : bytes.StartsWith("Rar!"u8) || bytes.StartsWith((ReadOnlySpan<byte>)[0x37, 0x7A, 0xBC, 0xAF]) || bytes.StartsWith((ReadOnlySpan<byte>)[0x1F, 0x8B, 0x08]) ? FileContent.Archive
            : FileContent.Unknown;
    }
}
