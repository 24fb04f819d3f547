-- A worker: each hour it counts what each device sent in the last 24 hours and in the 24 hours before, and tells of devices that send less than half.
local DAY, LEAST = 86400, 20

return {
  manifest = {
    kind = "worker",
    title = { ja = "前日の半分以下", en = "Half of yesterday" },
    every = 3600,
    findings = {
      less = { ja = "24時間の受信が{before}件から{now}件に減りました", en = "It sent {now} messages in 24 hours, {before} in the 24 hours before", risk = "takeover", level = "warning", unit = "count" },
    },
  },

  run = function(state)
    local now = history.now()
    local function count(from, to)
      local of = {}
      for _, message in ipairs(history.messages { from = from, to = to }) do of[message.device] = (of[message.device] or 0) + 1 end
      return of
    end

    -- One question gives at most 1,000 messages, the newest of its span: an hour at a time covers a field with a thousand an hour.
    local today, before = {}, {}
    for hour = 1, 24 do
      for device, n in pairs(count(now - hour * 3600, now - (hour - 1) * 3600)) do today[device] = (today[device] or 0) + n end
      for device, n in pairs(count(now - DAY - hour * 3600, now - DAY - (hour - 1) * 3600)) do before[device] = (before[device] or 0) + n end
    end

    local claims = {}
    for device, n in pairs(before) do
      local sent = today[device] or 0
      if n >= LEAST then claims[device] = { less = sent * 2 < n and { measured = sent, expected = n, values = { now = sent, before = n } } } end
    end

    return { ran = now }, claims
  end,
}
