-- One condition may be wrong. A device is suspended only when a second, different condition has found something about it within
-- the last hour; until then people are told, and the device goes on. The condition that a finding comes from is its "key": two
-- findings of one condition are one opinion, not two.
--
-- Rule: { "risk": "takeover", "level": "important", "action": "run-script", "script": "two-conditions-agree" }

local HOUR = 3600

return {
  manifest = { title = { ja = "2つの条件が一致したときだけ停止", en = "Suspend only when two conditions agree" } },

  respond = function(detection)
    local orders = { { action = "mail", reason = "found by " .. detection.key } }
    if not detection.device then return orders end

    -- What is suspended already needs no second order.
    for _, measure in ipairs(detection.inForce) do
      if measure.action == "suspend-authentication" then return orders end
    end

    for _, other in ipairs(detection.recent) do
      if other.key ~= detection.key and other.ago <= HOUR then
        log.write(other.key .. " agrees, " .. math.floor(other.ago / 60) .. " min ago")
        orders[2] = { action = "suspend-authentication", reason = detection.key .. " and " .. other.key .. " within an hour" }
        break
      end
    end
    return orders
  end,
}
