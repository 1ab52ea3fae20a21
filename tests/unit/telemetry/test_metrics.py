"""What Prometheus reads."""

from prometheus_client.parser import text_string_to_metric_families

from secure_export.telemetry.metrics import Metrics


def test_counts_are_told_in_prometheus_own_format() -> None:
    """What is counted can be read back by Prometheus' parser, with its labels."""
    metrics = Metrics()
    metrics.notified("desk", "accepted")
    metrics.notified("desk", "accepted")
    metrics.refused("wrong-audience")
    metrics.stepped("desk", "create", "Done", 0.02)
    metrics.counted({"ready": 3, "parked": 1, "quarantine": 2, "oldest_due_seconds": 7})
    text, content_type = metrics.exposition()
    samples = {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }
    assert content_type.startswith("text/plain")
    assert samples["secure_export_notifications_total", (("connection", "desk"), ("status", "accepted"))] == 2
    assert samples["secure_export_refusals_total", (("code", "wrong-audience"),)] == 1
    assert samples["secure_export_lanes", (("state", "parked"),)] == 1
    assert samples["secure_export_oldest_due_lane_seconds", ()] == 7


def test_two_programs_in_one_process_do_not_meet() -> None:
    """Each has a registry of its own."""
    one, other = Metrics(), Metrics()
    one.refused("x")
    assert b'code="x"' in one.exposition()[0]
    assert b'code="x"' not in other.exposition()[0]
