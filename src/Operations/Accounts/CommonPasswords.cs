using System.Collections.Frozen;

namespace Sekisho.Operations.Accounts;

/// <summary>Passwords of twelve characters and more that guessers try first (shorter ones are refused anyway).</summary>
internal static class CommonPasswords
{
    private const string List = """
        123456789012 1234567890123 12345678901234 123456789012345 1234567890123456 012345678901 0123456789012 111111111111 000000000000
        123123123123 121212121212 987654321098 098765432109 112233445566 123321123321 password1234 password12345 password123456 passwordpassword
        password2024 password2025 password2026 passw0rd1234 p@ssw0rd1234 p@ssword1234 p@ssw0rd12345 mypassword123 newpassword1 newpassword123
        changeme1234 changemenow1 changemeplease letmein12345 letmeinplease welcome12345 welcome123456 welcome1welcome1 administrator
        administrator1 administrator123 admin1234567 admin12345678 admin123admin adminadmin12 adminadminadmin adminpassword admin@123456
        administrator! root12345678 rootrootroot rootpassword superuser123 supervisor12 qwertyuiop12 qwertyuiop123 qwertyuiop[] qwerty123456
        qwerty1234567 qwertyqwerty qwertyuiopasdf qwertyuiopasdfghjkl 1qaz2wsx3edc 1qaz2wsx3edc4rfv 1q2w3e4r5t6y 1q2w3e4r5t6y7u8i zaq12wsxcde3
        qazwsxedcrfv q1w2e3r4t5y6 asdfghjkl123 asdfghjkl;'# zxcvbnm12345 zxcvbnmasdfghjkl abcdefghijkl abcdefghijklm abcdefghijklmnopqrstuvwxyz
        abc123abc123 abcd12345678 abcdefg12345 a1b2c3d4e5f6 aaaaaaaaaaaa iloveyou1234 iloveyouforever ilovejapan12 sunshine1234 princess1234
        football1234 baseball1234 dragon123456 monkey123456 trustno1trustno1 correcthorsebatterystaple secret123456 secretpassword
        topsecret123 default12345 defaultpassword testtesttest test12345678 testpassword temporary123 temppassword guestguestguest guestpassword
        userpassword user12345678 operator1234 maintenance1 sekisho12345 sekishosekisho gateway12345 gatewaygateway iotgateway123 raspberrypi1
        sakura123456 arigatou1234 konnichiwa12 nihon1234567 tokyo1234567 osaka1234567 doraemon1234 yamada123456 tanaka123456 satou1234567
        suzuki123456 password!234 summer202512 winter202512 spring202612 companyname1 company12345 starwars1234 pokemon12345 computer1234
        internet1234 security1234 whatever1234 hello1234567 helloworld12 helloworld123 passcode1234 pass12345678 pass1234pass
        """;

    private static readonly FrozenSet<string> Known = List.Split((char[])[' ', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries).ToFrozenSet();

    /// <summary>True for a password in lower case that is among them.</summary>
    public static bool Contains(string password) => Known.Contains(password) || password.Distinct().Count() == 1;
}
