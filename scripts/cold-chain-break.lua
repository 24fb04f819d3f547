-- Goods that were warmer than 8 °C for longer than 15 minutes in all, since they were last loaded ({"loaded":true}). Short openings of the door add up.
local WARM, LIMIT = 8, 900

return {
  manifest = {
    title = { ja = "コールドチェーンの途切れ", en = "Broken cold chain" },
    state = 128,
    findings = {
      ["too-warm"] = {
        ja = "{warm}度を超えた時間が合計{minutes}分になりました", en = "It was warmer than {warm} °C for {minutes} minutes in all",
        risk = "takeover", threat = "destruction", level = "important", unit = "s", repeatAfter = 21600,
      },
    },
  },

  step = function(event, state)
    local payload = event.payload or {}
    if payload.loaded then return { sum = 0, last = event.time }, { ["too-warm"] = false } end
    if type(payload.temperature) ~= "number" then return nil end

    local sum = state.sum or 0
    if state.warm and state.last and event.time > state.last then sum = sum + math.min(event.time - state.last, 3600) end
    local next = { sum = sum, last = math.max(event.time, state.last or 0), warm = payload.temperature > WARM }
    if sum <= LIMIT then return next end
    return next, { ["too-warm"] = { measured = sum, expected = LIMIT, values = { warm = WARM, minutes = sum // 60 } } }
  end,
}
