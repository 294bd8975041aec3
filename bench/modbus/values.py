"""What both servers hold: the counterpart of `ModbusLoad.expected`."""
import struct


def words(data):
    return list(struct.unpack(">%dH" % (len(data) // 2), data))


def swap(data):
    """BADC: the bytes of each word change places."""
    return b"".join(data[i + 1 : i + 2] + data[i : i + 1] for i in range(0, len(data), 2))


def word_swap(data):
    """CDAB: the last word first."""
    return b"".join(data[i : i + 2] for i in range(len(data) - 2, -1, -2))


FLOAT = struct.pack(">f", 123.5)
DOUBLE = struct.pack(">d", -9876.5)
HOLDING = [0] * 400
HOLDING[0:2] = words(FLOAT)
HOLDING[2:4] = words(swap(FLOAT))
HOLDING[4:6] = words(word_swap(FLOAT))
HOLDING[6:8] = words(swap(word_swap(FLOAT)))
HOLDING[8:12] = words(DOUBLE)
HOLDING[12:16] = words(swap(word_swap(DOUBLE)))
HOLDING[16:20] = words(struct.pack(">q", -1_234_567_890_123))
HOLDING[20:25] = words(b"DRAWBRIDGE")
for i in range(100):
    HOLDING[100 + 2 * i : 102 + 2 * i] = words(struct.pack(">f", i / 4))
INPUT = [(-i) & 0xFFFF for i in range(400)]
COIL = [i % 3 == 0 for i in range(100)]
DISCRETE = [i % 2 == 0 for i in range(100)]
