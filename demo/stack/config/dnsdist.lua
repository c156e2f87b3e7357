-- The door of the map: dnsdist (1.7) takes DNS over HTTPS from browsers and asks the map servers behind it.
-- {{...}} is filled in by demo/stack/start.js; beside it stands what a production server has.

setSecurityPollSuffix("")                  -- nothing is sent anywhere
setLocal("127.0.0.1:{{frontPort}}")        -- plain DNS; without this line it takes port 53
setACL({"127.0.0.0/8", "::1/128"})         -- production: {"0.0.0.0/0", "::/0"}

-- The map servers. Several in production, near this one: {"192.0.2.53:5300", "198.51.100.53:5300"}; the quickest that
-- answers its check is asked.
local maps = {"127.0.0.1:{{mapPort}}"}
-- The check is the players' own question, and two good answers are wanted: the first one makes a map server that has just
-- started look after its edges, and a second later it knows them.
for _, address in ipairs(maps) do
  newServer({address=address, useClientSubnet=true,
             checkName="_https._tcp.{{serviceZone}}.", checkType="SRV", checkInterval=1, maxCheckFailures=1, rise=2})
  -- The same server, asked from another address of this machine: map.zone sees by it that the client is on trial.
  newServer({address=address, useClientSubnet=true, pool="trial", source="{{trialAddress}}",
             checkName="_https._tcp.{{serviceZone}}.", checkType="SRV", checkInterval=1, maxCheckFailures=1, rise=2})
end

-- The client's network goes to the map as EDNS Client Subnet: what the client sent, or else what its address tells.
setECSSourcePrefixV4(24)
setECSSourcePrefixV6(48)
setECSOverride(false)

-- Nobody is asked about anything but the service, and nobody more often than a house full of players would ask.
local names = newSuffixMatchNode()
names:add(newDNSName("{{serviceZone}}."))
addAction(NotRule(SuffixMatchNodeRule(names)), RCodeAction(DNSRCode.REFUSED))
addAction(MaxQPSIPRule({{queriesPerSecond}}, 24, 48), RCodeAction(DNSRCode.REFUSED))
-- For the demo's page. Not in production: it tells who asked.
addAction(AllRule(), LogAction("{{folder}}/questions.log", false, true, false, false, true))

-- The client's id, in the EDNS option of code 65001 (local use). Here: those that begin with "trial-" are asked about
-- from the other address. A site can as well look its own ids up in a table, or take a share of them by their first digits.
addAction(EDNSOptionRule(65001), LuaAction(function(dq)
  local id = dq:getEDNSOptions()[65001]:getValues()[1]
  if id and string.sub(id, 1, 6) == "trial-" then
    return DNSAction.Pool, "trial"
  end
  return DNSAction.None, ""
end))

-- DoH. A page may read the answer (CORS) and how long it took. OPTIONS is answered with 400, so a page can only use what
-- needs no CORS preflight: GET with no header but Accept, as the plugin sends it. An answer of 400 or 403 has no CORS
-- header: the page sees a network error.
local doh = {
  customResponseHeaders={["access-control-allow-origin"]="*", ["timing-allow-origin"]="*"},
  sendCacheControlHeaders=true,
  -- behind a balancer of your own that sets X-Forwarded-For, and only there (a client could write any network into it):
  -- trustForwardedForHeader=true
}
-- For the demo on this machine, where pages of http://localhost may ask without TLS. Not in production.
addDOHLocal("127.0.0.1:{{mapHttpPort}}", nil, nil, "/dns-query", doh)
-- production: "0.0.0.0:443" and "[::]:443"; the certificate is read again at reloadAllCertificates()
addDOHLocal("127.0.0.1:{{mapHttpsPort}}", "{{certificate}}", "{{key}}", "/dns-query", doh)
