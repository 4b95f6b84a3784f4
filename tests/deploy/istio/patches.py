"""EnvoyFilter's patches, applied to what istiod gives a proxy, as istiod applies them.

In their order: route configurations, virtual hosts and routes; listeners, network filters, HTTP filters; clusters.
Only the patches of Gaud's resources are known; any other is an error.
"""

import copy

MANAGER = "envoy.filters.network.http_connection_manager"


class Unknown(Exception):
    """A patch of a kind that is not known here."""


def apply(proxy, resource):
    """Patches `proxy` with one EnvoyFilter, if it selects it."""
    spec = resource["spec"]
    selector = spec["workloadSelector"]["labels"]
    if not selector.items() <= proxy["labels"].items():
        return
    patches = [Patch(patch) for patch in spec["configPatches"]]
    patches = [patch for patch in patches if patch.context == proxy["context"]]
    for table in proxy["routes"]:
        _virtual_hosts(table, patches)
        _routes(table, patches)
    for listener in proxy["listeners"]:
        _managers(listener, patches)
        _http_filters(listener, patches)
    for kind, key in ADDED.items():
        proxy[key].extend(patch.value() for patch in patches if patch.adds(kind))
    used = {"HTTP_ROUTE", "VIRTUAL_HOST", "NETWORK_FILTER", "HTTP_FILTER", *ADDED}
    strange = [patch.applies_to for patch in patches if patch.applies_to not in used]
    if strange:
        raise Unknown(f"applyTo: {strange}")


ADDED = {"LISTENER": "listeners", "CLUSTER": "clusters", "EXTENSION_CONFIG": "extension_configs"}


class Patch:
    """One of an EnvoyFilter's configPatches."""

    def __init__(self, patch):
        self.applies_to = patch["applyTo"]
        match = patch["match"]
        self.context = match["context"]
        self.listener = match.get("listener", {})
        self.table = match.get("routeConfiguration", {})
        self.operation = patch["patch"]["operation"]
        self._value = patch["patch"]["value"]
        known = {"context", "listener", "routeConfiguration"}
        if match.keys() - known:
            raise Unknown(f"match: {match.keys() - known}")

    def value(self):
        return copy.deepcopy(self._value)

    def adds(self, kind):
        if self.applies_to == kind and self.operation != "ADD":
            raise Unknown(f"{kind} {self.operation}")
        return self.applies_to == kind

    def is_for_host(self, table, host):
        _only(self.table, "name", "vhost")
        vhost = self.table.get("vhost", {})
        _only(vhost, "name")
        return _fits(self.table, table) and _fits(vhost, host)

    def is_for_filter(self, listener, network_filter):
        _only(self.listener, "portNumber", "filterChain")
        chain = self.listener.get("filterChain", {})
        _only(chain, "filter")
        _only(chain.get("filter", {}), "name", "subFilter")
        return self._is_at(listener) and _fits(chain.get("filter", {}), network_filter)

    def _is_at(self, listener):
        port = listener["address"]["socket_address"]["port_value"]
        return self.listener.get("portNumber") in (None, port)

    def place(self, filters):
        """The index at which an HTTP filter is inserted; `None` when the filter that must follow is absent."""
        before = self.listener["filterChain"]["filter"]["subFilter"]["name"]
        return next((index for index, known in enumerate(filters) if known["name"] == before), None)


def _fits(match, thing):
    return match.get("name") in (None, thing["name"])


def _only(match, *known):
    if match.keys() - set(known):
        raise Unknown(f"match: {match.keys() - set(known)}")


def _virtual_hosts(table, patches):
    for host in table["virtual_hosts"]:
        for patch in patches:
            if patch.applies_to == "VIRTUAL_HOST" and patch.is_for_host(table, host):
                _is(patch, "MERGE")
                merge(host, patch.value(), maps=("typed_per_filter_config",))


def _routes(table, patches):
    for host in table["virtual_hosts"]:
        for patch in patches:
            if patch.applies_to == "HTTP_ROUTE" and patch.is_for_host(table, host):
                _is(patch, "INSERT_FIRST")
                host["routes"].insert(0, patch.value())


def _managers(listener, patches):
    for network_filter in _network_filters(listener):
        for patch in patches:
            if patch.applies_to == "NETWORK_FILTER" and patch.is_for_filter(listener, network_filter):
                _is(patch, "MERGE")
                _merge_typed(network_filter["typed_config"], patch.value()["typed_config"])


def _merge_typed(ours, theirs):
    """Two messages of the same type become one; those of different types stay apart."""
    if ours["@type"] == theirs["@type"]:
        merge(ours, theirs)


def _http_filters(listener, patches):
    for network_filter in _network_filters(listener):
        if network_filter["name"] != MANAGER:
            continue
        filters = network_filter["typed_config"]["http_filters"]
        for patch in patches:
            if patch.applies_to == "HTTP_FILTER" and patch.is_for_filter(listener, network_filter):
                _is(patch, "INSERT_BEFORE")
                place = patch.place(filters)
                if place is not None:
                    filters.insert(place, patch.value())


def _network_filters(listener):
    for chain in listener["filter_chains"]:
        yield from chain["filters"]


def _is(patch, operation):
    if patch.operation != operation:
        raise Unknown(f"{patch.applies_to} {patch.operation}")


def merge(ours, theirs, maps=()):
    """As protobuf merges: messages field by field, lists appended, and the entries of a map replaced."""
    for name, value in theirs.items():
        if name in maps:
            ours.setdefault(name, {}).update(value)
        elif isinstance(value, list):
            ours.setdefault(name, []).extend(value)
        elif isinstance(value, dict) and "@type" not in value:
            merge(ours.setdefault(name, {}), value)
        elif value in (False, 0, ""):
            # As good as not set: it would overwrite nothing.
            raise Unknown(f"{name}: {value!r} cannot be merged")
        else:
            ours[name] = value
