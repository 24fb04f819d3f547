using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Sekisho.Scripting.Tests;

public partial class LanguageTests
{
    private static readonly JsonSerializerOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    [Theory]
    [InlineData("return 1, 1.0, 'x', true, nil, {}, {1,2}, {a={b=1}}", """[1,1.0,"x",true,null,{},[1,2],{"a":{"b":1}}]""")]
    [InlineData("return { z = 1, a = 2, m = 3 }", """[{"a":2,"m":3,"z":1}]""")]
    [InlineData("return 0.1, 1e300, -0.0, 9223372036854775807, math.mininteger", """[0.1,1E+300,-0.0,9223372036854775807,-9223372036854775808]""")]
    [InlineData("return { 1, null, 3 }", "[[1,null,3]]")]
    [InlineData("return '日本'", """["日本"]""")]
    [InlineData("return '\\u{2028}\"\\\\'", """["\u2028\"\\"]""")]
    public void Values_come_out_as_json_with_names_in_order(string body, string expected) => Assert.Equal(expected, Scripts.Run(body));

    [Theory]
    [InlineData("""{"a":[1,2.5,"x",true,null,{"b":[]}],"n":null}""")]
    [InlineData("[1.0,1,-5,1E+300,9223372036854775807]")]
    [InlineData("\"\"")]
    [InlineData("\"日本\\u0000\\ud83d\\ude00\"")]
    public void Values_come_back_as_they_went_in(string json)
    {
        using var sandbox = Scripts.Open("return { f = function(a) return a end }");
        var once = Scripts.Shown(Scripts.Call(sandbox, "f", json));
        Assert.Equal(once, Scripts.Shown(Scripts.Call(sandbox, "f", once[1..^1])));
        using var expected = JsonDocument.Parse(json.Replace(",\"n\":null", "", StringComparison.Ordinal).Replace("[]", "{}", StringComparison.Ordinal));
        using var got = JsonDocument.Parse(once);
        Assert.True(JsonElement.DeepEquals(expected.RootElement, got.RootElement[0]), once);
    }

    [Theory]
    [InlineData("return { 1, 2, x = 3 }", "either a list or has names")]
    [InlineData("return { [3] = 1 }", "1 to n in a list")]
    [InlineData("return { [1.5] = 1 }", "1 to n in a list")]
    [InlineData("return function() end", "a function cannot be returned")]
    [InlineData("local t = {} t.t = t return t", "nested too deeply")]
    [InlineData("return 0/0", "not finite")]
    [InlineData("return '\\xff'", "not UTF-8")]
    [InlineData("return { ['\\xff'] = 1 }", "not UTF-8")]
    [InlineData("return string.rep('x', 60000)", "more than 16384 bytes")]
    [InlineData("return 1,2,3,4,5,6,7,8,9", "more than 8 values")]
    [InlineData("error({})", "an error without a text")]
    [InlineData("error('no')", "test:1: no")]
    [InlineData("return nothing.there", "attempt to index a nil value (global 'nothing')")]
    [InlineData("string.find = nil", "'string' cannot be changed")]
    [InlineData("return ('x').y.z", "attempt to index a nil value (field 'y')")]
    public void What_cannot_be_taken_is_an_error_that_says_so(string body, string part)
    {
        var shown = Scripts.Run(body);
        Assert.StartsWith("Error: ", shown, StringComparison.Ordinal);
        Assert.Contains(part, shown, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("load")]
    [InlineData("loadstring")]
    [InlineData("dofile")]
    [InlineData("loadfile")]
    [InlineData("require")]
    [InlineData("print")]
    [InlineData("collectgarbage")]
    [InlineData("setmetatable")]
    [InlineData("getmetatable")]
    [InlineData("rawset")]
    [InlineData("rawget")]
    [InlineData("rawequal")]
    [InlineData("rawlen")]
    [InlineData("next")]
    [InlineData("xpcall")]
    [InlineData("coroutine")]
    [InlineData("debug")]
    [InlineData("io")]
    [InlineData("os")]
    [InlineData("package")]
    [InlineData("warn")]
    [InlineData("_G")]
    [InlineData("string.dump")]
    [InlineData("string.pack")]
    [InlineData("string.unpack")]
    [InlineData("('x').dump")]
    [InlineData("table.move")]
    [InlineData("math.random")]
    [InlineData("math.randomseed")]
    public void What_a_script_must_not_have_is_not_there(string name) => Assert.Equal("""["nil"]""", Scripts.Run($"return type({name})"));

    [Fact]
    public void Bytecode_is_not_loaded()
    {
        Assert.Null(Sandbox.Open("\u001bLua"u8, "test", SandboxLimits.Flow, [], out var fault));
        Assert.Equal(FaultKind.Syntax, fault!.Kind);
        Assert.Null(Sandbox.Open("return {"u8, "test", SandboxLimits.Flow, [], out fault));
        Assert.Equal("test:1: unexpected symbol near <eof>", fault!.Message);
        Assert.Null(Sandbox.Open(new byte[70_000], "test", SandboxLimits.Flow, [], out fault));
        Assert.Contains("65536 are allowed", fault!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_script_says_what_it_is_without_running_its_functions()
    {
        using var sandbox = Scripts.Open("return { kind = 'flow', title = { en = 'A', ja = 'あ' }, step = function() error('run') end }");
        Assert.Equal("""[{"kind":"flow","step":"function","title":{"en":"A","ja":"あ"}}]""", Scripts.Shown(sandbox.Describe()));
        using var nothing = Scripts.Open("local x = 1");
        Assert.Equal("Error: the script must end with 'return { … }'", Scripts.Shown(nothing.Describe()));
    }

    [Fact]
    public void Nothing_lives_from_one_call_to_the_next()
    {
        using var sandbox = Scripts.Open("""
            local count = 0
            shared = (shared or 0) + 1
            return { f = function() count = count + 1 shared = shared + 1 other = (other or 0) + 1 return count, shared, other end }
            """);
        for (var i = 0; i < 5; i++)
        {
            Assert.Equal("[1,2,1]", Scripts.Shown(Scripts.Call(sandbox, "f")));
        }
    }

    [Fact]
    public void Tables_are_walked_in_the_order_of_their_names()
    {
        Assert.Equal("""["1 2 10.5 B a b true "]""", Scripts.Run("local s = '' for k in pairs({ b = 1, a = 1, B = 1, [10.5] = 1, [2] = 1, [1] = 1, [true] = 1 }) do s = s .. tostring(k) .. ' ' end return s"));
        Assert.Contains("has a table", Scripts.Run("for k in pairs({ [{}] = 1 }) do end"), StringComparison.Ordinal);
        const string Body = "local t = {} for i = 1, 300 do t['k' .. i] = i end for i = 1, 300, 2 do t['k' .. i] = nil end local s = {} for k, v in pairs(t) do s[#s + 1] = k end return table.concat(s)";
        using var first = Scripts.Open($"return {{ f = function() {Body} end }}");
        using var second = Scripts.Open($"return {{ f = function() {Body} end }}");
        var (one, two) = (Scripts.Call(first, "f"), Scripts.Call(second, "f"));
        Assert.Equal(Scripts.Shown(one), Scripts.Shown(two));
        Assert.Equal(one.Instructions, two.Instructions);
    }

    [Fact]
    public void Sorting_keeps_equals_in_their_order()
    {
        Assert.Equal(
            "[true]",
            Scripts.Run(SandboxLimits.Worker, """
                local t = {}
                for i = 1, 500 do t[i] = { key = i * 7919 % 10, at = i } end
                table.sort(t, function(x, y) return x.key < y.key end)
                for i = 2, 500 do if t[i].key < t[i-1].key or t[i].key == t[i-1].key and t[i].at < t[i-1].at then return false end end
                return true
                """));
        Assert.Equal("[[1,2,3]]", Scripts.Run("local t = {3,1,2} table.sort(t) return t"));
        Assert.Equal("[[3,2,1]]", Scripts.Run("local t = {3,1,2} table.sort(t, function(x, y) return x > y end) return t"));
    }

    [Theory]
    [InlineData("return ('hello world'):find('wor')", "[7,9]")]
    [InlineData("return ('hello'):find('l', 1, true), ('a.b'):find('.', 1, true)", "[3,2,2]")]
    [InlineData("return ('key = value'):match('^(%w+)%s*=%s*(%w+)$')", """["key","value"]""")]
    [InlineData("return ('abc'):match('()b()')", "[2,3]")]
    [InlineData("return ('f(a(b)c)d'):match('%b()')", """["(a(b)c)"]""")]
    [InlineData("return ('THE (quick) fox'):find('%f[%a]%a+%f[%A]', 5)", "[6,10]")]
    [InlineData("return ([[say \"hi\" 'x']]):match([[([\"'])(.-)%1]])", """["\"","hi"]""")]
    [InlineData("return ('hello world'):gsub('o', '0')", """["hell0 w0rld",2]""")]
    [InlineData("return ('hello'):gsub('', '-')", """["-h-e-l-l-o-",6]""")]
    [InlineData("return ('abc'):gsub('%w', '%0%0', 2)", """["aabbc",2]""")]
    [InlineData("return ('$name is $age'):gsub('%$(%w+)', { name = 'Ann', age = 5 })", """["Ann is 5",2]""")]
    [InlineData("return ('abc'):gsub('b', function(c) return c:upper() end)", """["aBc",1]""")]
    [InlineData("return ('a,b,,c'):gsub(',', ';')", """["a;b;;c",3]""")]
    [InlineData("local t = {} for k, v in ('a=1, b=2'):gmatch('(%w+)=(%w+)') do t[k] = v end return t", """[{"a":"1","b":"2"}]""")]
    [InlineData("local n = 0 for w in ('one two three'):gmatch('%a+') do n = n + 1 end return n", "[3]")]
    [InlineData("return ('x'):rep(3, '-'), ('x'):rep(0), ('x'):rep(-1)", """["x-x-x","",""]""")]
    [InlineData("return ('%5.2f|%d|%s|%x|%%p'):format(3.14159, 7, 'z', 255)", """[" 3.14|7|z|ff|%p"]""")]
    [InlineData("return ('%s %s %s'):format({}, nil, print)", """["table nil nil"]""")]
    [InlineData("return ('[]]'):match('[]]+'), ('a-z'):match('[a%-z]+'), ('^x'):match('[%^x]+'), ('x]'):match('[^]]')", """["]]","a-z","^x","x"]""")]
    [InlineData("return ('日本'):len(), utf8.len('日本')", "[6,2]")]
    [InlineData("return tostring({}), tostring(null), tostring(1.0), tostring(nil)", """["table","null","1.0","nil"]""")]
    [InlineData("local t = {1,2,3} table.insert(t, 2, 9) local r = table.remove(t, 1) table.insert(t, 4) return r, t, table.unpack(t)", "[1,[9,2,3,4],9,2,3,4]")]
    [InlineData("return table.concat({1,'a',2.5}, ';'), select('#', table.unpack({}, 1, 3)), table.pack(1, nil).n", """["1;a;2.5",3,2]""")]
    [InlineData("return math.floor(2.7), math.max(1, 5), math.tointeger('8'), 7 // 2, 7 % 3, 2^10, 1 << 4", "[2,5,8,3,1,1024.0,16]")]
    [InlineData("return pcall(error, 'x')", """[false,"x"]""")]
    public void The_library_does_what_the_manual_of_Lua_says(string body, string expected) => Assert.Equal(expected, Scripts.Run(body));

    [Theory]
    [InlineData("return ('x'):rep(1e9)")]
    [InlineData("return (''):rep(1e11)")]
    [InlineData("return ('x'):rep(65537)")]
    [InlineData("return ('x'):find('(')")]
    [InlineData("return ('x'):find('[a')")]
    [InlineData("return ('x'):find('%')")]
    [InlineData("return ('x'):gsub('x', '%9')")]
    [InlineData("return ('%p'):format({})")]
    [InlineData("return ('%10p'):format('x')")]
    [InlineData("return ('%q'):format('x')")]
    [InlineData("return ('x'):find({})")]
    [InlineData("return table.unpack({}, 1, 1e7)")]
    [InlineData("return table.concat({}, '', 1, 1e15)")]
    [InlineData("return table.insert({}, 5, 1)")]
    [InlineData("return ('a'):rep(60000):find(('a'):rep(30000) .. 'b', 1, true)")]
    public void What_would_run_without_bounds_is_refused(string body) => Assert.StartsWith("Error: ", Scripts.Run(body), StringComparison.Ordinal);

    [Fact]
    public void The_pattern_matcher_agrees_with_the_native_one()
    {
        // The native matcher of the same library, reached through KeraLua, is the reference.
        using var native = new KeraLua.Lua();
        var random = new Random(20261126);
        string[] items = ["a", "b", ".", "%a", "%d", "%s", "%w", "[ab]", "[^a]", "[a-c]", "%%", "x", "%u", "[%a_]", "%p"];
        string[] repeats = ["", "", "", "*", "+", "-", "?"];
        for (var i = 0; i < 3000; i++)
        {
            var pattern = random.Next(4) == 0 ? "^" : "";
            for (var n = random.Next(1, 5); n > 0; n--)
            {
                var item = items[random.Next(items.Length)] + repeats[random.Next(repeats.Length)];
                pattern += random.Next(4) == 0 ? $"({item})" : item;
            }

            pattern += random.Next(5) == 0 ? "$" : "";
            var source = string.Concat(Enumerable.Range(0, random.Next(12)).Select(_ => "abcx1 %_B-"[random.Next(10)]));
            var code = $"local s, p = '{source}', '{pattern}' local r = {{}} local function add(...) r[#r + 1] = select('#', ...) for _, v in ipairs({{...}}) do r[#r + 1] = tostring(v) end end "
                + "add(s:find(p)) add(s:match(p)) add(s:gsub(p, '<%0>')) for x, y in s:gmatch(p) do add(x, y) end return table.concat(r, '|')";
            Assert.False(native.DoString(code), code);
            var expected = JsonSerializer.Serialize(new[] { native.ToString(-1) }, Relaxed);
            native.SetTop(0);
            Assert.Equal($"{code}\n{expected}", $"{code}\n{Scripts.Run(code)}");
        }
    }

    [Fact]
    public void Numbers_and_order_of_texts_do_not_depend_on_the_locale_of_the_process()
    {
        Assert.Equal("C", Marshal.PtrToStringUTF8(SetLocale(4, 0))); // LC_NUMERIC
        Assert.Equal("C", Marshal.PtrToStringUTF8(SetLocale(3, 0))); // LC_COLLATE
        var before = CultureInfo.CurrentCulture;
        CultureInfo.CurrentCulture = new CultureInfo("de-DE");
        Assert.Equal("""["1.5",1.5,true]""", Scripts.Run("return tostring(1.5), 1.5, 'B' < 'a'"));
        CultureInfo.CurrentCulture = before;
    }

    [LibraryImport("libc", EntryPoint = "setlocale")]
    private static partial nint SetLocale(int category, nint locale);
}
