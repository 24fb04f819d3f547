using Sekisho.Sensor.Texts;

namespace Sekisho.Sensor.Commands;

/// <summary>Exit codes, and faults in sentences.</summary>
internal static class Fail
{
    public const int Done = 0;
    public const int Failed = 1;
    public const int WrongUse = 2;

    /// <summary>Tells a fault that a person can mend on standard error; false for others.</summary>
    public static bool Tell(Exception fault, string subject, string language)
    {
        var text = FaultTexts.Of(fault, subject, language);
        if (text is not null)
        {
            Console.Error.WriteLine(text);
        }

        return text is not null;
    }
}
