-- A door that stays open longer than ten minutes. The device sends {"door":"open"} or {"door":"closed"}; it is asked again at each tick, so that
-- an open door is found although nothing more is sent.
local LIMIT = 600

return {
  manifest = {
    title = { ja = "扉の閉め忘れ", en = "Door left open" },
    on = { "message", "tick" },
    every = 60,
    state = 64,
    findings = {
      ["left-open"] = {
        ja = "扉が{minutes}分間開いたままです", en = "The door has been open for {minutes} minutes",
        risk = "theft", threat = "theft", level = "warning", unit = "s", repeatAfter = 3600,
      },
    },
  },

  step = function(event, state)
    if event.kind == "message" and not event.backlog then
      local door = event.payload and event.payload.door
      if door == "closed" then return { closed = true }, { ["left-open"] = false } end
      if door == "open" and not state.since then state = { since = event.time } end
    end

    if not state.since then return state end
    local open = event.at - state.since
    if open <= LIMIT then return state end
    return state, { ["left-open"] = { measured = open, expected = LIMIT, values = { minutes = open // 60 } } }
  end,
}
