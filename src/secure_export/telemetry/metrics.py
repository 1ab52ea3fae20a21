"""What Prometheus reads. Every name is described in ``docs/reference/metrics.md``."""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest

disable_created_metrics()  # type: ignore[no-untyped-call] # a second series for each, which nobody reads

_INTAKE_BUCKETS = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 2.5, 10.0)
_COMMIT_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5)
_STEP_BUCKETS = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_DELIVERY_BUCKETS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 1800.0, 7200.0)
LANE_STATES = ("ready", "claimed", "waiting", "parked")


class Metrics:
    """The program's own registry: two of them in one process (tests) do not meet.

    Labels are names out of the configuration or constants of the program, never what a caller sent.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._notifications = self._counter(
            "notifications", "Notifications recorded, by what became of them.", "connection", "status"
        )
        self._missed = self._counter(
            "missed", "Notifications that Azure did not deliver and that were fetched from it.", "connection"
        )
        self._refusals = self._counter("refusals", "Requests that were not taken, by reason.", "code")
        self._steps = self._counter("steps", "Steps tried in ITSM tools, by outcome.", "connection", "kind", "outcome")
        self._lanes = self._gauge("lanes", "Lanes that are not idle.", "state")
        self.intake_seconds = self._histogram(
            "intake_seconds", "From the head of a request to its answer 202.", _INTAKE_BUCKETS
        )
        self.store_commit_seconds = self._histogram(
            "store_commit_seconds", "How long a transaction of the writer took to be on disk.", _COMMIT_BUCKETS
        )
        self._step_seconds = self._histogram(
            "step_seconds", "How long a step in an ITSM tool took.", _STEP_BUCKETS, "connection"
        )
        self._delivery_seconds = self._histogram(
            "delivery_seconds",
            "From a notification to its work item being as it should, confirmed by the tool.",
            _DELIVERY_BUCKETS,
            "connection",
        )
        self.oldest_due_lane_seconds = self._gauge(
            "oldest_due_lane_seconds", "For how long the longest due lane has been due; 0 when none is."
        )
        self._places = self._gauge(
            "connection_places", "Places in a connection's limits that this process holds.", "connection"
        )
        self.quarantine = self._gauge("quarantine", "Notifications in quarantine.")
        self._keys_age = self._gauge("signing_keys_age_seconds", "Age of the signing keys in use.", "tenant")
        self._children: dict[tuple[str, ...], Counter] = {}

    def notified(self, connection: str, status: str) -> None:
        """Count a recorded notification."""
        child = self._children.get((connection, status))
        if child is None:
            child = self._children[connection, status] = self._notifications.labels(connection, status)
        child.inc()

    def fetched(self, connection: str) -> None:
        """Count a notification that Azure did not deliver and that was fetched from it."""
        self._missed.labels(connection).inc()

    def refused(self, code: str) -> None:
        """Count a request that was not taken; the code is one of the program's constants."""
        self._refusals.labels(code).inc()

    def stepped(self, connection: str, kind: str, outcome: str, seconds: float) -> None:
        """Count a step in an ITSM tool and how long it took."""
        self._steps.labels(connection, kind, outcome).inc()
        self._step_seconds.labels(connection).observe(seconds)

    def delivered(self, connection: str, seconds: float) -> None:
        """Note how long it took from a notification to a work item that is as it should be."""
        self._delivery_seconds.labels(connection).observe(seconds)

    def places_held(self, connection: str, places: int) -> None:
        """Note how many places in a connection's limits this process holds."""
        self._places.labels(connection).set(places)

    def counted(self, counts: Mapping[str, int]) -> None:
        """Take over what the store counted (``console.contract.Records.counts``)."""
        for state in LANE_STATES:
            self._lanes.labels(state).set(counts.get(state, 0))
        self.oldest_due_lane_seconds.set(counts.get("oldest_due_seconds", 0))
        self.quarantine.set(counts.get("quarantine", 0))

    def keys_aged(self, tenant: str, seconds: float) -> None:
        """Note how old the signing keys of a tenant are."""
        self._keys_age.labels(tenant).set(seconds)

    def exposition(self) -> tuple[bytes, str]:
        """Give the text that Prometheus reads, with its content type."""
        return generate_latest(self.registry), "text/plain; version=0.0.4; charset=utf-8"

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, namespace="secure_export", registry=self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(name, text, labels, namespace="secure_export", registry=self.registry)

    def _histogram(self, name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(name, text, labels, namespace="secure_export", buckets=buckets, registry=self.registry)
