"""Reads one session of ours (topic and payload in hex, a line a message) with pysparkplug, which others have written."""
import sys

from pysparkplug import DBirth, DData, DataType, MessageType, NBirth, NDeath, Topic

messages = []
for line in sys.stdin:
    topic, payload = line.split()
    messages.append((Topic.from_str(topic), bytes.fromhex(payload)))
kinds = [topic.message_type for topic, _ in messages]
assert kinds == [
    MessageType.NBIRTH, MessageType.DBIRTH, MessageType.DDATA, MessageType.DDATA,
    MessageType.NDEATH, MessageType.NDEATH,
], kinds
for topic, _ in messages:
    assert (topic.group_id, topic.edge_node_id) == ("drawbridge", "press-line-4"), topic
    assert topic.device_id == ("plc-1" if topic.message_type.startswith("D") else None), topic

node = NBirth.decode(messages[0][1])
names = {metric.name: metric for metric in node.metrics}
assert node.seq == 0 and names["bdSeq"].value == 7, node
assert names["Node Control/Rebirth"].value is False
device = DBirth.decode(messages[1][1])
assert device.seq == 1
assert [(m.name, m.datatype, m.alias) for m in device.metrics] == [
    ("strokes", DataType.INT64, 1), ("oven", DataType.DOUBLE, 2),
    ("door", DataType.BOOLEAN, 3), ("state", DataType.STRING, 4),
], device.metrics

for number, historical in (2, True), (3, False):
    # The names come from the birth, by alias.
    data = DData.decode(messages[number][1], birth=device)
    assert data.seq == number and data.timestamp == 1_700_000_000_000
    assert [(m.name, m.value) for m in data.metrics] == [
        ("strokes", -7), ("oven", 180.5), ("door", True), ("state", "läuft"),
    ], data.metrics
    assert all(m.is_historical == historical for m in data.metrics)
    assert [m.timestamp for m in data.metrics] == [1_700_000_000_000 - 1000 * i for i in range(4)]
for number in 4, 5:
    death = NDeath.decode(messages[number][1])
    assert death.bd_seq_metric.name == "bdSeq" and death.bd_seq_metric.value == 7, death
print("6 messages, 18 metrics: as meant")
