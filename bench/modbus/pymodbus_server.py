import sys

from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext
from pymodbus.server import StartTcpServer

from values import COIL, DISCRETE, HOLDING, INPUT

try:
    from pymodbus.datastore import ModbusDeviceContext as Device
except ImportError:  # before 3.10
    from pymodbus.datastore import ModbusSlaveContext as Device

# Its data blocks count from one.
device = Device(
    di=ModbusSequentialDataBlock(1, DISCRETE), co=ModbusSequentialDataBlock(1, COIL),
    hr=ModbusSequentialDataBlock(1, HOLDING), ir=ModbusSequentialDataBlock(1, INPUT))
StartTcpServer(ModbusServerContext(device, True), address=("0.0.0.0", int(sys.argv[1])))
