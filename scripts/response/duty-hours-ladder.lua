-- A ladder that climbs faster when nobody is on duty. On duty (Monday to Friday, 9 to 18 o'clock) the person in charge has half an
-- hour before the device is slowed down, and a person has to agree before it is locked out. Off duty it is slowed down after five
-- minutes and locked out after half an hour, unless somebody takes the detection in hand before that.
-- A device in the mode "maintenance" is being worked on: people are told, and nothing else.
--
-- Rule: { "risk": "*", "level": "important", "action": "run-script", "script": "duty-hours-ladder" }

local MINUTE = 60

return {
  manifest = { title = { ja = "勤務時間に応じた段階的な対処", en = "A ladder by duty hours" } },

  respond = function(detection)
    local clock = detection["local"]
    local onDuty = clock.weekday >= 1 and clock.weekday <= 5 and clock.hour >= 9 and clock.hour < 18
    local told = { action = onDuty and "mail-person-in-charge" or "mail", reason = onDuty and "on duty" or "off duty" }
    if not detection.device or detection.device.mode == "maintenance" then return { told } end

    if onDuty then
      return {
        told,
        { action = "restrict-rate", after = 30 * MINUTE, reason = "nobody had it in hand for half an hour" },
        { action = "suspend-authentication", after = 60 * MINUTE, approval = "one-person", reason = "nobody had it in hand for an hour" },
      }
    end

    return {
      told,
      { action = "restrict-rate", after = 5 * MINUTE, reason = "off duty: slowed down until somebody looks" },
      { action = "suspend-authentication", after = 30 * MINUTE, reason = "off duty: nobody had it in hand for half an hour" },
    }
  end,
}
