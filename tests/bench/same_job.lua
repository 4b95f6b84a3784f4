-- What Gaud does with a chat, in Lua: the top level's only "model" loses its namespace, the provider gets its key, the
-- client learns the provider's name, failures are counted. Neither JSON nor UTF-8 is validated, no escape is read in a
-- key, and each worker counts for itself.

local BACKSLASH = 92
local failures = 0

-- The place after a string's end; `from` is after its beginning.
local function string_end(text, from)
  while true do
    local quote = string.find(text, '"', from, true)
    if quote == nil then
      return nil
    end
    local before = quote - 1
    while before >= from and string.byte(text, before) == BACKSLASH do
      before = before - 1
    end
    if (quote - before) % 2 == 1 then
      return quote + 1
    end
    from = quote + 1
  end
end

-- How much deeper the bytes between two strings lead.
local function levels(text, from, to)
  local sum = 0
  for place = from, to do
    local byte = string.byte(text, place)
    if byte == 123 or byte == 91 then
      sum = sum + 1
    elseif byte == 125 or byte == 93 then
      sum = sum - 1
    end
  end
  return sum
end

-- Where the model's value begins, and how many members of the top level have its name.
local function find_model(text)
  local depth, place, value, count = 0, 1, nil, 0
  while true do
    local quote = string.find(text, '"', place, true)
    if quote == nil then
      return value, count
    end
    depth = depth + levels(text, place, quote - 1)
    place = string_end(text, quote + 1)
    if place == nil then
      return value, count
    end
    if depth == 1 and place - quote == 7 and string.sub(text, quote, place - 1) == '"model"' then
      local _, colon = string.find(text, '^%s*:%s*"', place)
      if colon ~= nil then
        value, count = colon + 1, count + 1
      end
    end
  end
end

function envoy_on_request(handle)
  local body = handle:body()
  local text = body:getBytes(0, body:length())
  local value, count = find_model(text)
  if count > 1 then
    handle:respond({ [":status"] = "400" }, "two models")
    return
  end
  if value == nil or string.sub(text, value, value + 7) ~= "litellm:" then
    handle:respond({ [":status"] = "404" }, "no such model")
    return
  end
  local headers = handle:headers()
  headers:replace("x-gaud-cluster", "litellm")
  headers:replace("authorization", "Bearer $key")
  headers:replace("content-length", body:setBytes(string.sub(text, 1, value - 1) .. string.sub(text, value + 8)))
end

function envoy_on_response(handle)
  local headers = handle:headers()
  headers:replace("x-gaud-provider", "litellm")
  if string.byte(headers:get(":status")) == 53 then
    failures = failures + 1
  end
end
