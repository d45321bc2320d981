-- Tells Argo CD how a PulsarFunction, PulsarSource or PulsarSink is.
-- How to install it is in docs/install.md.

local function health(status, message)
  return { status = status, message = message }
end

if obj.metadata.deletionTimestamp ~= nil then
  return health("Progressing", "The object is being deleted.")
end

local status = obj.status
if status == nil or status.conditions == nil then
  return health("Progressing", "Nothing is known of the object yet.")
end

local conditions = {}
for _, condition in ipairs(status.conditions) do
  conditions[condition.type] = condition
end

local function is(conditionType, value)
  local condition = conditions[conditionType]
  return condition ~= nil and condition.status == value
end

-- What can't be shown has no other conditions, and won't change by itself.
if is("Translated", "False") then
  return health("Degraded", conditions["Translated"].message)
end

local generation = obj.metadata.generation
if generation ~= nil and (status.observedGeneration == nil or status.observedGeneration < generation) then
  return health("Progressing", "The object has changed since it was observed.")
end

if is("Stalled", "True") then
  return health("Degraded", conditions["Stalled"].message)
end

local ready = conditions["Ready"]
if ready == nil then
  return health("Progressing", "Whether instances are ready is not known yet.")
end
if ready.status == "True" and ready.reason == "Suspended" then
  return health("Suspended", ready.message)
end
if ready.status == "True" then
  return health("Healthy", ready.message)
end
-- Nobody observes instances, so nobody will say that they are ready.
if ready.status == "Unknown" and not is("Reconciling", "True") then
  return health("Unknown", ready.message)
end
-- Something is missing that somebody may be about to create. Saying which beats
-- saying how many instances are ready.
if is("Accepted", "False") then
  return health("Progressing", conditions["Accepted"].message)
end
return health("Progressing", ready.message)
