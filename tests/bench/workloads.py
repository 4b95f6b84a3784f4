"""What is asked of the candidates."""

from typing import NamedTuple

SIZES = {1_000: "1 KB", 10_000: "10 KB", 100_000: "100 KB", 1_000_000: "1 MB"}


class Workload(NamedTuple):
    """Requests of one kind, one after another on each of some connections."""

    size: int
    model_first: bool = False
    connections: int = 16
    chunks: int = 0  # of a streamed answer; 0: a JSON answer

    @property
    def name(self) -> str:
        place = "first" if self.model_first else "last"
        answer = f"{self.chunks:,} chunks" if self.chunks else "JSON"
        return f"{SIZES[self.size]}, model {place}, {answer}, {self.connections} connections"

    @property
    def path(self) -> str:
        return "/v1/chat/completions" + (f"?chunks={self.chunks}" if self.chunks else "")

    @property
    def is_baseline(self) -> bool:
        return self.connections == 16 and not self.chunks


WORKLOADS = (
    *(Workload(size, model_first) for size in SIZES for model_first in (False, True)),
    *(Workload(size, connections=connections) for size in (1_000, 100_000) for connections in (1, 128)),
    *(Workload(1_000, chunks=chunks) for chunks in (100, 1_000)),
)

# Those of filters that read all of a body wherever its model stands.
FEW_WORKLOADS = tuple(Workload(size) for size in SIZES)

# Those of whole gateways.
GATEWAY_WORKLOADS = tuple(Workload(size) for size in (1_000, 100_000, 1_000_000))
