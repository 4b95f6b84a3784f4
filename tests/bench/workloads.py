"""What is asked of the candidates."""

from typing import NamedTuple

from bodies import CHAT, CONTENTS

SIZES = {1_000: "1 KB", 10_000: "10 KB", 100_000: "100 KB", 1_000_000: "1 MB"}
CONTENT_SIZES = tuple(SIZES)[1:]
PATH = "/v1/chat/completions"


class Workload(NamedTuple):
    """Requests of one kind, one after another on each of some connections."""

    size: int
    model_first: bool = False
    connections: int = 16
    chunks: int = 0  # of a streamed answer; 0: a JSON answer
    content: str = CHAT

    @property
    def name(self) -> str:
        place = "first" if self.model_first else "last"
        answer = f"{self.chunks:,} chunks" if self.chunks else "JSON"
        return f"{SIZES[self.size]} {self.content}, model {place}, {answer}, {self.connections} connections"

    @property
    def path(self) -> str:
        return PATH + (f"?chunks={self.chunks}" if self.chunks else "")

    @property
    def is_content(self) -> bool:
        """Measured for its kind of content."""
        return self.content != CHAT

    @property
    def is_baseline(self) -> bool:
        return self.connections == 16 and not self.chunks and not self.is_content


WORKLOADS = (
    *(Workload(size, model_first) for size in SIZES for model_first in (False, True)),
    *(Workload(size, connections=connections) for size in (1_000, 100_000) for connections in (1, 128)),
    *(Workload(1_000, chunks=chunks) for chunks in (100, 1_000)),
)

# Those of filters that read all of a body wherever its model is.
FEW_WORKLOADS = tuple(Workload(size) for size in SIZES)

# Those of whole gateways.
GATEWAY_WORKLOADS = tuple(Workload(size) for size in (1_000, 100_000, 1_000_000))

CONTENT_WORKLOADS = tuple(Workload(size, content=content) for content in CONTENTS for size in CONTENT_SIZES)

ALL_WORKLOADS = (*WORKLOADS, *CONTENT_WORKLOADS)

# The candidates of `make bench`, in the tables' order: filters of filters.yaml, then whole gateways.
MEASURED = ("bare", "noop", "gaud", "lua", "lua_same_job", "json_to_metadata", "ai_protocol_manager", "litellm", "portkey")

# The kinds of content for which Gaud is held against Lua.
LUA_CONTENTS = ("prose", "code", "base64")
MEASURED_CONTENTS = {"bare": CONTENTS, "gaud": CONTENTS, "lua": LUA_CONTENTS, "lua_same_job": LUA_CONTENTS}


def workloads_of(name: str, candidate: dict | None) -> tuple[Workload, ...]:
    """Those of a candidate of filters.yaml, or of a whole gateway."""
    if candidate is None:
        return GATEWAY_WORKLOADS
    contents = MEASURED_CONTENTS.get(name, ())
    further = (workload for workload in CONTENT_WORKLOADS if workload.content in contents)
    return (*(FEW_WORKLOADS if candidate.get("few") else WORKLOADS), *further)
