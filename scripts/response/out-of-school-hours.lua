-- A school's tablets are watched day and night, but nobody sits there at night who could tell a pupil's late homework from a
-- stolen tablet. Within school hours (Monday to Friday, 8 to 17 o'clock) a slower tablet is bearable and asked about at once;
-- outside of them people are told, and nothing is taken from anybody.
--
-- Rule: { "risk": "*", "level": "warning", "action": "run-script", "script": "out-of-school-hours" }

local function inSchool(clock)
  return clock.weekday >= 1 and clock.weekday <= 5 and clock.hour >= 8 and clock.hour < 17
end

return {
  manifest = { title = { ja = "授業時間外は通知のみ", en = "Out of school hours notify only" } },

  respond = function(detection)
    if not inSchool(detection["local"]) then
      return { { action = "mail-administrator", reason = "out of school hours: told, nothing restricted" } }
    end

    local orders = { { action = "mail", reason = "within school hours" } }
    if detection.device and detection.rank >= 2 then
      orders[2] = { action = "restrict-rate", reason = "important or worse, within school hours" }
    end
    return orders
  end,
}
