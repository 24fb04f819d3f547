using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Sekisho.Scripting.Lua;

/// <summary>
/// The functions of the Lua 5.4 library that the sandbox uses. Errors in Lua are long jumps, which must never cross managed frames: a function
/// that may raise is called either inside a protected call that began in native code, or while <see cref="Meter.Lift"/> holds, when the only
/// error it could raise (no memory) cannot happen.
/// </summary>
internal static unsafe partial class NativeLua
{
    public const int Ok = 0;
    public const int Yield = 1;
    public const int OutOfMemory = 4;
    public const int MultipleResults = -1;
    public const int MaskCount = 8;

    public const int TypeNil = 0;
    public const int TypeBoolean = 1;
    public const int TypeLightUserData = 2;
    public const int TypeNumber = 3;
    public const int TypeString = 4;
    public const int TypeTable = 5;

    private const string Library = "lua54";

    private static readonly nint Handle = NativeLibrary.Load(Library, typeof(NativeLua).Assembly, null);

    /// <summary>luaL_error as a hook: it raises from native code, over native frames only.</summary>
    public static readonly nint RaiseHook = NativeLibrary.GetExport(Handle, "luaL_error");

    public static nint Export(string name) => NativeLibrary.GetExport(Handle, name);

    [LibraryImport(Library, EntryPoint = "lua_newstate")]
    public static partial nint NewState(delegate* unmanaged[Cdecl]<void*, void*, nuint, nuint, void*> allocate, void* data);

    [LibraryImport(Library, EntryPoint = "lua_close")]
    public static partial void Close(nint state);

    [LibraryImport(Library, EntryPoint = "luaL_requiref", StringMarshalling = StringMarshalling.Utf8)]
    public static partial void Require(nint state, string name, nint open, int global);

    [LibraryImport(Library, EntryPoint = "lua_sethook")]
    public static partial void SetHook(nint state, nint hook, int mask, int count);

    [LibraryImport(Library, EntryPoint = "luaL_loadbufferx", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Load(nint state, byte* text, nuint length, string name, string mode);

    [LibraryImport(Library, EntryPoint = "lua_pcallk")]
    public static partial int Call(nint state, int arguments, int results, int handler, nint context, nint continuation);

    [LibraryImport(Library, EntryPoint = "lua_newthread")]
    public static partial nint NewThread(nint state);

    [LibraryImport(Library, EntryPoint = "lua_resume")]
    public static partial int Resume(nint thread, nint from, int arguments, int* results);

    [LibraryImport(Library, EntryPoint = "lua_xmove")]
    public static partial void Move(nint from, nint to, int count);

    [LibraryImport(Library, EntryPoint = "lua_checkstack")]
    public static partial int CheckStack(nint state, int count);

    [LibraryImport(Library, EntryPoint = "lua_gettop")]
    public static partial int Top(nint state);

    [LibraryImport(Library, EntryPoint = "lua_settop")]
    public static partial void SetTop(nint state, int index);

    [LibraryImport(Library, EntryPoint = "lua_pushvalue")]
    public static partial void PushCopy(nint state, int index);

    [LibraryImport(Library, EntryPoint = "lua_rotate")]
    public static partial void Rotate(nint state, int index, int count);

    [LibraryImport(Library, EntryPoint = "lua_type")]
    public static partial int Type(nint state, int index);

    [LibraryImport(Library, EntryPoint = "lua_isinteger")]
    public static partial int IsInteger(nint state, int index);

    [LibraryImport(Library, EntryPoint = "lua_tointegerx")]
    public static partial long ToInteger(nint state, int index, int* converted);

    [LibraryImport(Library, EntryPoint = "lua_tonumberx")]
    public static partial double ToNumber(nint state, int index, int* converted);

    [LibraryImport(Library, EntryPoint = "lua_toboolean")]
    public static partial int ToBoolean(nint state, int index);

    /// <summary>Only for values of type string: others would be converted in place, which allocates.</summary>
    [LibraryImport(Library, EntryPoint = "lua_tolstring")]
    public static partial byte* ToText(nint state, int index, nuint* length);

    [LibraryImport(Library, EntryPoint = "lua_rawlen")]
    public static partial ulong Length(nint state, int index);

    [LibraryImport(Library, EntryPoint = "lua_pushnil")]
    public static partial void PushNil(nint state);

    [LibraryImport(Library, EntryPoint = "lua_pushboolean")]
    public static partial void PushBoolean(nint state, int value);

    [LibraryImport(Library, EntryPoint = "lua_pushinteger")]
    public static partial void PushInteger(nint state, long value);

    [LibraryImport(Library, EntryPoint = "lua_pushnumber")]
    public static partial void PushNumber(nint state, double value);

    [LibraryImport(Library, EntryPoint = "lua_pushlightuserdata")]
    public static partial void PushLightUserData(nint state, nint value);

    [LibraryImport(Library, EntryPoint = "lua_pushlstring")]
    public static partial byte* PushText(nint state, byte* text, nuint length);

    [LibraryImport(Library, EntryPoint = "lua_createtable")]
    public static partial void CreateTable(nint state, int list, int names);

    [LibraryImport(Library, EntryPoint = "lua_rawset")]
    public static partial void RawSet(nint state, int index);

    [LibraryImport(Library, EntryPoint = "lua_rawseti")]
    public static partial void RawSetAt(nint state, int index, long at);

    [LibraryImport(Library, EntryPoint = "lua_rawget")]
    public static partial int RawGet(nint state, int index);

    [LibraryImport(Library, EntryPoint = "lua_rawgeti")]
    public static partial int RawGetAt(nint state, int index, long at);

    [LibraryImport(Library, EntryPoint = "lua_next")]
    public static partial int Next(nint state, int index);

    /// <summary>Pushes a text.</summary>
    public static void Push(nint state, ReadOnlySpan<byte> text)
    {
        fixed (byte* start = text)
        {
            // The pointer of an empty span is null, which the library takes for length 0.
            PushText(state, start, (nuint)text.Length);
        }
    }

    /// <summary>The bytes of a string; valid while it stays on the stack.</summary>
    public static ReadOnlySpan<byte> Text(nint state, int index)
    {
        nuint length;
        var start = ToText(state, index, &length);
        return new ReadOnlySpan<byte>(start, checked((int)length));
    }

    /// <summary>Memory that belongs to a state, before its address (LUA_EXTRASPACE); threads of the state get a copy.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Meter** Extra(nint state) => (Meter**)(state - sizeof(nint));
}
