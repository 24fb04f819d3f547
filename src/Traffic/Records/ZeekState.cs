namespace Sekisho.Traffic.Records;

/// <summary>What Zeek's conn_state says of a connection (base/protocols/conn/main.zeek).</summary>
internal static class ZeekState
{
    /// <summary>TCP flags of the side that began, as far as the state tells; for logs without history.</summary>
    public static int Flags(string state) => state switch
    {
        "S0" or "REJ" => Layer4.Syn,
        "RSTOS0" => Layer4.Syn | Layer4.Reset,
        "SH" => Layer4.Syn | Layer4.Fin,
        "S1" or "S3" or "RSTR" => Layer4.Syn | Layer4.Acknowledgement,
        "RSTO" => Layer4.Syn | Layer4.Acknowledgement | Layer4.Reset,
        "S2" or "SF" => Layer4.Syn | Layer4.Acknowledgement | Layer4.Fin,
        _ => 0,
    };

    /// <summary>TCP flags of the other side.</summary>
    public static int ReverseFlags(string state) => state switch
    {
        "S1" or "S2" or "RSTO" => Layer4.Syn | Layer4.Acknowledgement,
        "S3" or "SF" or "SHR" => Layer4.Syn | Layer4.Acknowledgement | Layer4.Fin,
        "RSTR" or "RSTRH" => Layer4.Syn | Layer4.Acknowledgement | Layer4.Reset,
        "REJ" => Layer4.Reset | Layer4.Acknowledgement,
        _ => 0,
    };

    /// <summary>Whether the connection failed; null where the state leaves it open (one side was not seen).</summary>
    public static bool? HasFailed(string state, bool carriedData) => state switch
    {
        "S0" or "REJ" or "RSTOS0" or "RSTRH" => true,
        "RSTO" or "RSTR" => !carriedData,
        "S1" or "S2" or "S3" or "SF" => false,
        _ => null,
    };
}
