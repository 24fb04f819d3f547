-- A meter counts up. One that counts down was exchanged or tampered with; one that jumps was read wrongly or is somebody else.
local MOST_PER_HOUR = 50

return {
  manifest = {
    title = { ja = "メーター値の逆行と飛び", en = "Meter runs backwards or jumps" },
    state = 64,
    findings = {
      backwards = { ja = "指針が{before}から{now}へ戻りました", en = "The reading went back from {before} to {now}", risk = "spoofing", threat = "fake-message", level = "important", quietAfter = 86400 },
      jump = { ja = "1時間あたり{rate}増えました", en = "It rose by {rate} an hour", risk = "spoofing", threat = "fake-message", level = "warning" },
    },
  },

  step = function(event, state)
    local now = event.payload and event.payload.reading
    if type(now) ~= "number" then return nil end
    local next = { reading = now, time = event.time }
    if not state.reading or event.time <= state.time then return next end
    if now < state.reading then
      return next, { backwards = { measured = now, expected = state.reading, values = { before = state.reading, now = now } } }
    end

    local rate = (now - state.reading) * 3600 / (event.time - state.time)
    return next, { jump = rate > MOST_PER_HOUR and { measured = rate, expected = MOST_PER_HOUR, values = { rate = rate } } }
  end,
}
