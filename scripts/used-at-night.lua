-- A shared tool that is used three times within one night (22:00 to 06:00 on the field's clock). Weekends count as nights altogether.
return {
  manifest = {
    title = { ja = "夜間の使用", en = "Used at night" },
    state = 64,
    findings = {
      night = { ja = "夜間に{times}回使われました", en = "It was used {times} times in one night", risk = "unauthorised-access", threat = "unauthorised-use", level = "warning", unit = "count" },
    },
  },

  step = function(event, state)
    if event.payload == nil or event.payload.used ~= true then return nil end
    local clock = event["local"]
    local weekend = clock.weekday == 0 or clock.weekday == 6
    if not weekend and clock.hour >= 6 and clock.hour < 22 then return { times = 0 }, { night = false } end
    local times = (state.times or 0) + 1
    return { times = times }, { night = times >= 3 and { measured = times, expected = 2, values = { times = times } } or nil }
  end,
}
