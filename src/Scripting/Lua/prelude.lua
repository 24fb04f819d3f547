-- What a script can reach. Runs once per state with the whole libraries at hand; takes the functions that a host answers, and returns a function
-- that makes a driver of a loaded script. What is kept out, and why:
--   * what loads code, reads files, or looks inside (load, require, io, os, debug, string.dump);
--   * what loops in C, where instructions are not counted (the native patterns, string.rep, table.sort, table.move): they stand here in Lua;
--   * what differs between two runs (addresses in tostring, order of pairs, pivots of table.sort, math.random);
--   * metatables and coroutines, whose functions run where they cannot be stopped.
local hostFunctions, setupvalue = ...
local assert, error, ipairs, next, pcall, select, setmetatable = assert, error, ipairs, next, pcall, select, setmetatable
local tonumber, nativeToString, type, mathtype = tonumber, tostring, type, math.type
local yield = coroutine.yield
local byte, sub, nativeFind, nativeGsub, nativeFormat, nativeRep = string.byte, string.sub, string.find, string.gsub, string.format, string.rep
local concat, nativeSort, unpack = table.concat, table.sort, table.unpack
local floor = math.floor

local MOST_TEXT = 65536

local function argument(number, name, wanted, got)
  error("bad argument #" .. number .. " to '" .. name .. "' (" .. wanted .. " expected, got " .. got .. ")", 3)
end

local function text(value, number, name)
  local kind = type(value)
  if kind == "string" then return value end
  if kind == "number" then return nativeToString(value) end
  return argument(number, name, "string", kind)
end

local function integer(value, number, name)
  if mathtype(value) == "integer" then return value end
  local whole = math.tointeger(tonumber(value))
  if whole then return whole end
  return argument(number, name, "whole number", type(value))
end

local function list(value, name)
  if type(value) ~= "table" then argument(1, name, "table", type(value)) end
  return value
end

-- Tables, functions and the like without their address.
local function tostring(value)
  local kind = type(value)
  if kind == "table" or kind == "function" or kind == "userdata" or kind == "thread" then
    return kind == "userdata" and "null" or kind
  end
  return nativeToString(value)
end

-- Patterns -----------------------------------------------------------------------------------------------------------------------------

local classes = {
  [97] = function(c) return c >= 65 and c <= 90 or c >= 97 and c <= 122 end,                                      -- a
  [99] = function(c) return c < 32 or c == 127 end,                                                               -- c
  [100] = function(c) return c >= 48 and c <= 57 end,                                                             -- d
  [103] = function(c) return c > 32 and c < 127 end,                                                              -- g
  [108] = function(c) return c >= 97 and c <= 122 end,                                                            -- l
  [112] = function(c) return c > 32 and c < 48 or c > 57 and c < 65 or c > 90 and c < 97 or c > 122 and c < 127 end, -- p
  [115] = function(c) return c == 32 or c >= 9 and c <= 13 end,                                                   -- s
  [117] = function(c) return c >= 65 and c <= 90 end,                                                             -- u
  [119] = function(c) return c >= 48 and c <= 57 or c >= 65 and c <= 90 or c >= 97 and c <= 122 end,              -- w
  [120] = function(c) return c >= 48 and c <= 57 or c >= 65 and c <= 70 or c >= 97 and c <= 102 end,              -- x
}

local function inClass(c, class)
  local test = classes[class]
  if test then return test(c) end
  if class >= 65 and class <= 90 then
    test = classes[class + 32]
    if test then return not test(c) end
  end
  return c == class
end

-- Place after the single item that begins at p.
local function itemEnd(pattern, p)
  local c = byte(pattern, p)
  p = p + 1
  if c == 37 then -- %
    if p > #pattern then error("malformed pattern (ends with '%')", 0) end
    return p + 1
  end
  if c == 91 then -- [
    if byte(pattern, p) == 94 then p = p + 1 end
    repeat
      local d = byte(pattern, p)
      if not d then error("malformed pattern (missing ']')", 0) end
      p = p + 1
      if d == 37 then
        if p > #pattern then error("malformed pattern (missing ']')", 0) end
        p = p + 1
      end
    until byte(pattern, p) == 93
    return p + 1
  end
  return p
end

local function inSet(c, pattern, p, last) -- p at '[', last at ']'
  local wanted = true
  p = p + 1
  if byte(pattern, p) == 94 then
    wanted = false
    p = p + 1
  end
  while p < last do
    local d = byte(pattern, p)
    if d == 37 then
      if inClass(c, byte(pattern, p + 1)) then return wanted end
      p = p + 2
    elseif byte(pattern, p + 1) == 45 and p + 2 < last then
      if c >= d and c <= byte(pattern, p + 2) then return wanted end
      p = p + 3
    else
      if c == d then return wanted end
      p = p + 1
    end
  end
  return not wanted
end

local function single(m, s, p, ep)
  local c = byte(m.source, s)
  if not c then return false end
  local d = byte(m.pattern, p)
  if d == 46 then return true end
  if d == 37 then return inClass(c, byte(m.pattern, p + 1)) end
  if d == 91 then return inSet(c, m.pattern, p, ep - 1) end
  return c == d
end

local OPEN, PLACE = -1, -2

local match

local function captureIndex(m, digit)
  local index = digit - 48
  if index < 1 or index > m.level or m.length[index] == OPEN then error("invalid capture index %" .. index, 0) end
  return index
end

local function balance(m, s, p)
  local open, close = byte(m.pattern, p), byte(m.pattern, p + 1)
  if not close then error("malformed pattern (missing arguments to '%b')", 0) end
  if byte(m.source, s) ~= open then return nil end
  local depth = 1
  for i = s + 1, #m.source do
    local c = byte(m.source, i)
    if c == close then
      depth = depth - 1
      if depth == 0 then return i + 1 end
    elseif c == open then
      depth = depth + 1
    end
  end
  return nil
end

local function frontier(m, s, p) -- p at '['
  if byte(m.pattern, p) ~= 91 then error("missing '[' after '%f' in pattern", 0) end
  local ep = itemEnd(m.pattern, p)
  local before = s > 1 and byte(m.source, s - 1) or 0
  local here = byte(m.source, s) or 0
  if not inSet(before, m.pattern, p, ep - 1) and inSet(here, m.pattern, p, ep - 1) then return match(m, s, ep) end
  return nil
end

-- Matches pattern from p at s; gives the place after the match. A try that fails leaves no capture behind.
match = function(m, s, p)
  local pattern = m.pattern
  while true do
    local c = byte(pattern, p)
    if not c then return s end
    if c == 40 then -- (
      local place = byte(pattern, p + 1) == 41
      if m.level == 32 then error("too many captures", 0) end
      m.level = m.level + 1
      m.start[m.level], m.length[m.level] = s, place and PLACE or OPEN
      local done = match(m, s, place and p + 2 or p + 1)
      if not done then m.level = m.level - 1 end
      return done
    end
    if c == 41 then -- )
      local open
      for i = m.level, 1, -1 do
        if m.length[i] == OPEN then
          open = i
          break
        end
      end
      if not open then error("invalid pattern capture", 0) end
      m.length[open] = s - m.start[open]
      local done = match(m, s, p + 1)
      if not done then m.length[open] = OPEN end
      return done
    end
    if c == 36 and p == #pattern then -- $
      return s == #m.source + 1 and s or nil
    end
    local d = c == 37 and byte(pattern, p + 1)
    if d == 98 then -- %b
      s = balance(m, s, p + 2)
      if not s then return nil end
      p = p + 4
    elseif d == 102 then -- %f
      return frontier(m, s, p + 2)
    elseif d and d >= 48 and d <= 57 then -- %1
      local index = captureIndex(m, d)
      local held = sub(m.source, m.start[index], m.start[index] + m.length[index] - 1)
      if sub(m.source, s, s + #held - 1) ~= held then return nil end
      s, p = s + #held, p + 2
    else
      local ep = itemEnd(pattern, p)
      local e = byte(pattern, ep)
      if e == 63 then -- ?
        if single(m, s, p, ep) then
          local done = match(m, s + 1, ep + 1)
          if done then return done end
        end
        p = ep + 1
      elseif e == 42 or e == 43 then -- * +
        local count = 0
        while single(m, s + count, p, ep) do count = count + 1 end
        for i = count, e == 43 and 1 or 0, -1 do
          local done = match(m, s + i, ep + 1)
          if done then return done end
        end
        return nil
      elseif e == 45 then -- -
        while true do
          local done = match(m, s, ep + 1)
          if done then return done end
          if not single(m, s, p, ep) then return nil end
          s = s + 1
        end
      else
        if not single(m, s, p, ep) then return nil end
        s, p = s + 1, ep
      end
    end
  end
end

local function capture(m, index, s, e)
  if index > m.level then
    if index == 1 then return sub(m.source, s, e - 1) end
    error("invalid capture index %" .. index, 0)
  end
  local length = m.length[index]
  if length == OPEN then error("unfinished capture", 0) end
  if length == PLACE then return m.start[index] end
  return sub(m.source, m.start[index], m.start[index] + length - 1)
end

local function captures(m, s, e, whole)
  local found = {}
  local count = m.level
  if count == 0 and whole then count = 1 end
  for i = 1, count do found[i] = capture(m, i, s, e) end
  return found, count
end

local function matcher(source, pattern)
  local anchored = byte(pattern, 1) == 94
  return { source = source, pattern = pattern, level = 0, start = {}, length = {} }, anchored, anchored and 2 or 1
end

local function search(m, anchored, first, from)
  for s = from, anchored and from or #m.source + 1 do
    m.level = 0
    local e = match(m, s, first)
    if e then return s, e end
  end
  return nil
end

local function beginning(source, from)
  from = from or 1
  if from < 0 then return from < -#source and 1 or #source + from + 1 end
  return from == 0 and 1 or from
end

local function find(source, pattern, from, plain)
  source, pattern = text(source, 1, "find"), text(pattern, 2, "find")
  from = beginning(source, from and integer(from, 3, "find"))
  if from > #source + 1 then return nil end
  if plain or not nativeFind(pattern, "[%^%$%*%+%?%.%(%[%%%-]") then
    if #source * #pattern > 16777216 then error("text and pattern are too long for 'find'", 2) end
    return nativeFind(source, pattern, from, true)
  end
  local m, anchored, first = matcher(source, pattern)
  local s, e = search(m, anchored, first, from)
  if not s then return nil end
  local found, count = captures(m, s, e, false)
  return s, e - 1, unpack(found, 1, count)
end

local function matchText(source, pattern, from)
  source, pattern = text(source, 1, "match"), text(pattern, 2, "match")
  from = beginning(source, from and integer(from, 3, "match"))
  if from > #source + 1 then return nil end
  local m, anchored, first = matcher(source, pattern)
  local s, e = search(m, anchored, first, from)
  if not s then return nil end
  local found, count = captures(m, s, e, true)
  return unpack(found, 1, count)
end

local function gmatch(source, pattern)
  source, pattern = text(source, 1, "gmatch"), text(pattern, 2, "gmatch")
  local m = matcher(source, pattern)
  local from, last = 1, 0
  return function()
    while from <= #source + 1 do
      m.level = 0
      local e = match(m, from, 1)
      if e and e ~= last then
        local s = from
        from, last = e, e
        local found, count = captures(m, s, e, true)
        return unpack(found, 1, count)
      end
      from = from + 1
    end
    return nil
  end
end

local function expand(m, replacement, s, e)
  local parts, n, i = {}, 0, 1
  while i <= #replacement do
    local c = byte(replacement, i)
    n = n + 1
    if c == 37 then
      local d = byte(replacement, i + 1)
      if d == 37 then
        parts[n] = "%"
      elseif d == 48 then
        parts[n] = sub(m.source, s, e - 1)
      elseif d and d >= 49 and d <= 57 then
        parts[n] = tostring(capture(m, d - 48, s, e))
      else
        error("invalid use of '%' in replacement string", 0)
      end
      i = i + 2
    else
      local stop = i
      while stop < #replacement and byte(replacement, stop + 1) ~= 37 do stop = stop + 1 end
      parts[n] = sub(replacement, i, stop)
      i = stop + 1
    end
  end
  return concat(parts)
end

local function gsub(source, pattern, replacement, most)
  source, pattern = text(source, 1, "gsub"), text(pattern, 2, "gsub")
  local kind = type(replacement)
  if kind == "number" then replacement, kind = nativeToString(replacement), "string" end
  if kind ~= "string" and kind ~= "table" and kind ~= "function" then argument(3, "gsub", "string/function/table", kind) end
  most = most and integer(most, 4, "gsub") or #source + 1
  local m, anchored, first = matcher(source, pattern)
  local parts, n, from, last, count, size = {}, 0, 1, nil, 0, 0
  while count < most do
    m.level = 0
    local e = match(m, from, first)
    if e and e ~= last then
      count = count + 1
      local value
      if kind == "string" then
        value = expand(m, replacement, from, e)
      elseif kind == "table" then
        value = replacement[capture(m, 1, from, e)]
      else
        local found, many = captures(m, from, e, true)
        value = replacement(unpack(found, 1, many))
      end
      if not value then
        value = sub(source, from, e - 1)
      elseif type(value) == "number" then
        value = nativeToString(value)
      elseif type(value) ~= "string" then
        error("invalid replacement value (a " .. type(value) .. ")", 2)
      end
      n = n + 1
      parts[n] = value
      size = size + #value
      if size > MOST_TEXT then error("result of 'gsub' is too long", 2) end
      from, last = e, e
    elseif from <= #source then
      n = n + 1
      parts[n] = sub(source, from, from)
      from = from + 1
    else
      break
    end
    if from > #source + 1 or anchored then break end
  end
  n = n + 1
  parts[n] = sub(source, from)
  return concat(parts), count
end

local function rep(source, count, separator)
  source, count, separator = text(source, 1, "rep"), integer(count, 2, "rep"), separator and text(separator, 3, "rep") or ""
  if count < 1 then return "" end
  if count > MOST_TEXT or count * (#source + #separator) > MOST_TEXT then error("result of 'rep' is too long", 2) end
  return nativeRep(source, count, separator)
end

local function format(template, ...)
  template = text(template, 1, "format")
  if #template > 1024 then error("format is too long", 2) end
  if nativeFind(nativeGsub(template, "%%%%", ""), "%%[^%%%a]*[pq]") then error("'%p' and '%q' are not available in 'format'", 2) end
  local count = select("#", ...)
  if count > 64 then error("too many values for 'format'", 2) end
  local values = { ... }
  for i = 1, count do
    local kind = type(values[i])
    if kind == "table" or kind == "function" or kind == "userdata" or kind == "nil" or kind == "boolean" then values[i] = tostring(values[i]) end
  end
  return nativeFormat(template, unpack(values, 1, count))
end

-- Tables -------------------------------------------------------------------------------------------------------------------------------

local function merge(values, from, to, spare, before)
  if to - from < 1 then return end
  local middle = floor((from + to) / 2)
  merge(values, from, middle, spare, before)
  merge(values, middle + 1, to, spare, before)
  for i = from, to do spare[i] = values[i] end
  local a, b = from, middle + 1
  for i = from, to do
    if a <= middle and (b > to or not before(spare[b], spare[a])) then
      values[i] = spare[a]
      a = a + 1
    else
      values[i] = spare[b]
      b = b + 1
    end
  end
end

local function less(a, b) return a < b end

local function sort(values, before)
  list(values, "sort")
  if before ~= nil and type(before) ~= "function" then argument(2, "sort", "function", type(before)) end
  merge(values, 1, #values, {}, before or less)
end

-- Names in order: numbers, then texts by their bytes, then booleans. So the same table is walked in the same order everywhere. The native sort
-- costs no instructions, which would differ with the order that the names come in; names differ, so its choice of pivots does not show.
local function sortedKeys(values)
  local numbers, texts, n, t = {}, {}, 0, 0
  for key in next, values do
    local kind = type(key)
    if kind == "string" then
      t = t + 1
      texts[t] = key
    elseif kind == "number" then
      n = n + 1
      numbers[n] = key
    elseif kind ~= "boolean" then
      error("'pairs' walks over names that are numbers, texts or booleans; this table has a " .. kind, 3)
    end
  end
  nativeSort(numbers)
  nativeSort(texts)
  for i = 1, t do numbers[n + i] = texts[i] end
  n = n + t
  if values[false] ~= nil then
    n = n + 1
    numbers[n] = false
  end
  if values[true] ~= nil then
    n = n + 1
    numbers[n] = true
  end
  return numbers, n
end

local function pairs(values)
  list(values, "pairs")
  local keys, n = sortedKeys(values)
  local i = 0
  return function()
    while i < n do
      i = i + 1
      local value = values[keys[i]]
      if value ~= nil then return keys[i], value end
    end
    return nil
  end, values, nil
end

local function insert(values, place, ...)
  list(values, "insert")
  local n = #values
  if select("#", ...) == 0 then
    values[n + 1] = place
    return
  end
  place = integer(place, 2, "insert")
  if place < 1 or place > n + 1 then error("bad argument #2 to 'insert' (position out of bounds)", 2) end
  for i = n, place, -1 do values[i + 1] = values[i] end
  values[place] = (...)
end

local function remove(values, place)
  list(values, "remove")
  local n = #values
  if place == nil then
    place = n
  else
    place = integer(place, 2, "remove")
    if n + 1 ~= place and (place < 1 or place > n + 1) and not (n == 0 and place == 0) then error("bad argument #2 to 'remove' (position out of bounds)", 2) end
  end
  local value = values[place]
  for i = place, n - 1 do values[i] = values[i + 1] end
  if place <= n then values[n] = nil end
  return value
end

local function unpackTable(values, from, to)
  list(values, "unpack")
  from, to = from and integer(from, 2, "unpack") or 1, to and integer(to, 3, "unpack") or #values
  if to - from >= 200 then error("too many results to unpack", 2) end
  return unpack(values, from, to)
end

local function pack(...) return { n = select("#", ...), ... } end

-- The environment ----------------------------------------------------------------------------------------------------------------------

-- Texts find their functions here (s:find), so the library itself changes; the script sees it through a table that cannot be written.
for _, name in ipairs { "dump", "pack", "packsize", "unpack" } do string[name] = nil end
string.find, string.match, string.gmatch, string.gsub, string.rep, string.format = find, matchText, gmatch, gsub, rep, format

local function frozen(library, name)
  return setmetatable({}, { __index = library, __newindex = function() error("'" .. name .. "' cannot be changed", 2) end, __metatable = false })
end

local numbers = {}
for name, value in next, math do numbers[name] = value end
numbers.random, numbers.randomseed = nil, nil

local base = {
  assert = assert, error = error, ipairs = ipairs, pairs = pairs, pcall = pcall, select = select, tonumber = tonumber, tostring = tostring, type = type,
  string = frozen(string, "string"),
  table = frozen({ concat = concat, insert = insert, pack = pack, remove = remove, sort = sort, unpack = unpackTable }, "table"),
  math = frozen(numbers, "math"),
  utf8 = frozen({ char = utf8.char, codepoint = utf8.codepoint, codes = utf8.codes, len = utf8.len, offset = utf8.offset, charpattern = utf8.charpattern }, "utf8"),
}

-- What a host answers: the call leaves Lua, and comes back with a value or an error.
for library, names in next, hostFunctions do
  local functions = {}
  for _, name in ipairs(names) do
    functions[name] = function(question)
      local value, fault = yield(name, question)
      if fault then error(fault, 2) end
      return value
    end
  end
  base[library] = frozen(functions, library)
end

local meta = { __index = base, __metatable = false }

-- Every call runs the script from its beginning in an environment of its own: nothing but what it returns lives on.
return function(chunk, null)
  base.null = null
  return function(name, ...)
    setupvalue(chunk, 1, setmetatable({}, meta))
    local script = chunk()
    if type(script) ~= "table" then error("the script must end with 'return { … }'", 0) end
    if name == nil then return script end
    local f = script[name]
    if type(f) ~= "function" then error("the script has no function '" .. name .. "'", 0) end
    return f(...)
  end
end
