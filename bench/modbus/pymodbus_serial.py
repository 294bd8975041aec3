"""pymodbus' RTU server on one pseudo-terminal; a link at argv[1] leads to the other end of the line."""
import os
import pty
import sys
import threading
import tty

from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext
from pymodbus.server import StartSerialServer

from values import COIL, DISCRETE, HOLDING, INPUT

try:
    from pymodbus.datastore import ModbusDeviceContext as Device
except ImportError:  # before 3.10
    from pymodbus.datastore import ModbusSlaveContext as Device


def line():
    """Two terminals, and everything that is written to one comes out of the other."""
    ends = [pty.openpty() for _ in range(2)]
    for _, slave in ends:
        tty.setraw(slave)
    def carry(source, target):
        while True:
            os.write(target, os.read(source, 4096))
    for one, other in [(0, 1), (1, 0)]:
        threading.Thread(target=carry, args=(ends[one][0], ends[other][0]), daemon=True).start()
    return [os.ttyname(slave) for _, slave in ends]


ours, theirs = line()
os.symlink(theirs, sys.argv[1])
# Its data blocks count from one.
device = Device(
    di=ModbusSequentialDataBlock(1, DISCRETE), co=ModbusSequentialDataBlock(1, COIL),
    hr=ModbusSequentialDataBlock(1, HOLDING), ir=ModbusSequentialDataBlock(1, INPUT))
StartSerialServer(ModbusServerContext(device, True), port=ours, baudrate=19200, parity="N", timeout=1)
