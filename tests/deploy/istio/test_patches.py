"""The patches work as Istio's do: https://istio.io/latest/docs/reference/config/networking/envoy-filter/."""

import copy

import patches
import pytest

PROXY = {
    "context": "SIDECAR_OUTBOUND",
    "labels": {"app": "chat"},
    "listeners": [
        {
            "name": f"0.0.0.0_{port}",
            "address": {"socket_address": {"port_value": port}},
            "filter_chains": [
                {
                    "filters": [
                        {
                            "name": patches.MANAGER,
                            "typed_config": {"@type": "manager", "stat_prefix": "a", "http_filters": [{"name": "router"}]},
                        }
                    ]
                }
            ],
        }
        for port in (80, 81)
    ],
    "routes": [
        {
            "name": "80",
            "virtual_hosts": [{"name": name, "domains": [name], "routes": [{"name": "first"}]} for name in ("a:80", "b:80")],
        }
    ],
    "clusters": [{"name": "first"}],
    "extension_configs": [],
}


def patched(*config_patches, labels=None):
    proxy = copy.deepcopy(PROXY)
    selector = {"labels": labels or {"app": "chat"}}
    patches.apply(proxy, {"spec": {"workloadSelector": selector, "configPatches": list(config_patches)}})
    return proxy


def patch(kind, operation, value, context="SIDECAR_OUTBOUND", **match):
    match = {"context": context, **match}
    return {"applyTo": kind, "match": match, "patch": {"operation": operation, "value": value}}


def in_manager(**further):
    return {"portNumber": 80, "filterChain": {"filter": {"name": patches.MANAGER, **further}}}


def managers(proxy):
    return [listener["filter_chains"][0]["filters"][0]["typed_config"] for listener in proxy["listeners"]]


ROUTE = patch("HTTP_ROUTE", "INSERT_FIRST", {"name": "new"}, routeConfiguration={"vhost": {"name": "a:80"}})


def test_a_route_becomes_the_first_of_its_host_alone():
    hosts = patched(ROUTE, {**ROUTE, "patch": {"operation": "INSERT_FIRST", "value": {"name": "newer"}}})["routes"][0]["virtual_hosts"]
    assert [[route["name"] for route in host["routes"]] for host in hosts] == [["newer", "new", "first"], ["first"]]


def test_http_filters_come_before_the_router_in_order_at_one_port_alone():
    before = in_manager(subFilter={"name": "router"})
    added = [patch("HTTP_FILTER", "INSERT_BEFORE", {"name": name}, listener=before) for name in ("one", "two")]
    names = [[known["name"] for known in manager["http_filters"]] for manager in managers(patched(*added))]
    assert names == [["one", "two", "router"], ["router"]]


def test_an_http_filter_is_not_inserted_without_the_filter_that_must_follow():
    before = in_manager(subFilter={"name": "absent"})
    assert patched(patch("HTTP_FILTER", "INSERT_BEFORE", {"name": "one"}, listener=before)) == PROXY


def test_a_manager_is_merged_with_its_own_type():
    def value(kind):
        return {"typed_config": {"@type": kind, "stat_prefix": "b", "list": [2], "message": {"x": 1}}}

    ours, other = managers(patched(*[patch("NETWORK_FILTER", "MERGE", value("manager"), listener=in_manager())] * 2))
    assert (ours["stat_prefix"], ours["list"], ours["message"], other["stat_prefix"]) == ("b", [2, 2], {"x": 1}, "a")
    assert patched(patch("NETWORK_FILTER", "MERGE", value("other"), listener=in_manager())) == PROXY


def test_the_entries_of_a_map_are_merged():
    value = {"typed_per_filter_config": {"one": {"@type": "x"}}}
    host = patched(patch("VIRTUAL_HOST", "MERGE", value, routeConfiguration={"vhost": {"name": "b:80"}}))["routes"][0]["virtual_hosts"][1]
    assert host["typed_per_filter_config"] == {"one": {"@type": "x"}}


def test_added_resources_are_not_patched():
    listener = patch("LISTENER", "ADD", copy.deepcopy(PROXY["listeners"][0]) | {"name": "new"})
    one = patch("HTTP_FILTER", "INSERT_BEFORE", {"name": "one"}, listener=in_manager(subFilter={"name": "router"}))
    proxy = patched(listener, patch("CLUSTER", "ADD", {"name": "new"}), one)
    assert [len(manager["http_filters"]) for manager in managers(proxy)] == [2, 1, 1]
    assert [cluster["name"] for cluster in proxy["clusters"]] == ["first", "new"]


def test_other_proxies_are_not_patched():
    assert patched(ROUTE, labels={"app": "other"}) == PROXY
    assert patched({**ROUTE, "match": {**ROUTE["match"], "context": "GATEWAY"}}) == PROXY


@pytest.mark.parametrize("value", [False, 0, ""])
def test_a_default_value_is_not_merged(value):
    with pytest.raises(patches.Unknown):
        patches.merge({"proxy_100_continue": True}, {"proxy_100_continue": value})


@pytest.mark.parametrize(
    "strange",
    [
        patch("HTTP_ROUTE", "INSERT_AFTER", {}, routeConfiguration={"vhost": {"name": "a:80"}}),
        patch("FILTER_CHAIN", "ADD", {}),
        patch("CLUSTER", "MERGE", {}),
        patch("CLUSTER", "ADD", {}, cluster={"name": "first"}),
        patch("HTTP_ROUTE", "INSERT_FIRST", {}, routeConfiguration={"portNumber": 80}),
    ],
)
def test_an_unknown_patch_is_refused(strange):
    with pytest.raises(patches.Unknown):
        patched(strange)
