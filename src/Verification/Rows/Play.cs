namespace Sekisho.Verification.Rows;

/// <summary>One case of a row or a cause: what is done and what must be seen.</summary>
/// <param name="Id">Row or cause.</param>
/// <param name="Case">One of <see cref="Cases"/>.</param>
/// <param name="Number">Which of several of a cause, from 1, as the table lists them.</param>
/// <param name="Act">The play.</param>
internal sealed record Play(string Id, string Case, int Number, Func<Scene, Task> Act)
{
    /// <summary>Its field's data goes to the cloud; else it is kept and detected on only.</summary>
    public bool IsForwarded { get; init; }

    /// <summary>It takes so long that it has a gateway and a clock of its own, so that the others need not live through it.</summary>
    public bool TakesWeeks { get; init; }

    /// <summary>All that is built. What the table has beyond it is not built yet.</summary>
    public static readonly IReadOnlyList<Play> All =
    [
        Row("V01", AccessRows.RegisteredAsync),
        Row("V02", AccessRows.UnregisteredAsync),
        Row("V03", AccessRows.LetInAsync) with { IsForwarded = true },
        Row("V04", AccessRows.KeptOutAsync) with { IsForwarded = true },
        Row("V05", TransportRows.EncryptedAsync) with { IsForwarded = true },
        Row("V06", AccessRows.RegisterAndDeleteAsync),
        Row("V07", AccessRows.DeletedOrUnknownAsync),
        Row("V08", TransportRows.ProtectedByTlsAsync),
        Row("V09", TransportRows.PlainRefusedAsync),
        Row("V10", StorageRows.FilesRevealNothingAsync),
        Row("V11", StorageRows.CopyIsUselessAsync),
        Row("V12", CadenceRows.TooOftenEngineOffAsync),
        Row("V13", CadenceRows.TooOftenEngineOnAsync),
        Row("V14", CadenceRows.SilenceAsync),
        Row("V15", CadenceRows.CarriedAwayAsync),
        Row("V16", SignInRows.StormAsync),
        Row("V17", SignInRows.AbnormalHoursAsync),
        Row("V18", CadenceRows.TimestampsAsync),
        Row("V19", SimRows.VolumeAsync),
        Row("V20", SimRows.OtherSourceAsync),
        Row("V21", SimRows.OneSourceAsync),
        Row("V22", SignInRows.ForeignNetworkAsync),
        Row("V23", ContentRows.OversizedAsync),
        Row("V24", ContentRows.BrokenAsync),
        Row("V25", AccessRows.LockedOutAsync),
        Row("V26", SimRows.SuspendedAsync),
        Benign("F1", 1, scene => CadenceRows.BacklogAsync(scene, isRepeated: false)),
        Benign("F1", 2, CadenceRows.GarageAsync) with { TakesWeeks = true },
        Benign("F1", 3, scene => CadenceRows.BacklogAsync(scene, isRepeated: true)) with { IsForwarded = true },
        Attack("F1", 1, CadenceRows.UnpluggedAsync),
        Attack("F1", 2, CadenceRows.CrowdedAsync),
        Attack("F1", 3, CadenceRows.ForgedBurstsAsync),
        Attack("F1", 4, CadenceRows.CloneAsync),
        Benign("F2", 1, SimRows.RetriesAsync),
        Attack("F2", 1, SimRows.ElsewhereAsync),
        Attack("F2", 2, SimRows.ForgedRetriesAsync),
        Benign("F3", 1, SimRows.ScannedAsync),
        Attack("F3", 1, SimRows.AnsweringAsync),
        Benign("F4", 1, SignInRows.FromHomeAsync),
        Attack("F4", 1, SignInRows.DistantAsync),
        Attack("F4", 2, SignInRows.ThiefAsync),
    ];

    private static Play Row(string id, Func<Scene, Task> act) => new(id, Cases.Row, 1, act);

    private static Play Benign(string id, int number, Func<Scene, Task> act) => new(id, Cases.Benign, number, act);

    private static Play Attack(string id, int number, Func<Scene, Task> act) => new(id, Cases.Attack, number, act);
}
