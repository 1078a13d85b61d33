"""make_events.py - a file of events by TensorBoard's own messages and records, for tests/train/test_events.c: events.bin.

Needs tensorboard from PyPI; writes beside itself."""

import os
import struct

from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000003000000020802000000124d4e5f"
    "0000000e49444154789c63f8cfc0f01f8a0119ee03fd5ee0a4cb0000000049454e44ae426082"
)


def scalars(**values):
    return Summary(value=[Summary.Value(tag=tag, simple_value=value) for tag, value in values.items()])


def picture(tag, png, height, width):
    image = Summary.Image(height=height, width=width, colorspace=3, encoded_image_string=png)
    return Summary(value=[Summary.Value(tag=tag, image=image)])


events = [
    Event(wall_time=1.5e9, file_version="brain.Event:2"),
    Event(wall_time=1.5e9, step=21, session_log=SessionLog(status=SessionLog.START)),
    Event(wall_time=1.5e9 + 0.25, step=40, summary=scalars(elbo=-123.456, gap=1e-30, u_end=3e38)),
    Event(wall_time=1.5e9 + 0.5, step=300, summary=picture("samples", PNG, 2, 3)),
    Event(wall_time=1.5e9 + 2, step=2**40, summary=scalars(elbo=0.0)),
]
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "events.bin"), "wb") as file:
    for event in events:
        data = event.SerializeToString(deterministic=True)
        length = struct.pack("<Q", len(data))
        file.write(length + struct.pack("<I", masked_crc32c(length)) + data + struct.pack("<I", masked_crc32c(data)))
