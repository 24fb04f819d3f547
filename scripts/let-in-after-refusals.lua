-- Ten refused requests within five minutes and then a message that is taken: somebody tried until it worked.
return {
  manifest = {
    title = { ja = "失敗を重ねた後の成功", en = "Success after many failures" },
    on = { "message", "refusal" },
    state = 64,
    findings = {
      guessed = { ja = "{failures}回拒否された直後に受け付けられました", en = "It was let in right after {failures} refusals", risk = "unauthorised-access", threat = "unauthorised-use", level = "important", unit = "count", quietAfter = 3600 },
    },
  },

  step = function(event, state)
    local recent = state.at and event.at - state.at <= 300
    if event.kind == "refusal" then
      return { at = recent and state.at or event.at, failures = (recent and state.failures or 0) + event.count }
    end

    if recent and state.failures >= 10 then
      return { done = true }, { guessed = { measured = state.failures, expected = 9, values = { failures = state.failures } } }
    end

    return { done = true }
  end,
}
