import sys
import time

from pyModbusTCP.server import DataBank, ModbusServer

from values import COIL, DISCRETE, HOLDING, INPUT

bank = DataBank(coils_size=100, d_inputs_size=100, h_regs_size=400, i_regs_size=400)
bank.set_coils(0, COIL)
bank.set_discrete_inputs(0, DISCRETE)
bank.set_holding_registers(0, HOLDING)
bank.set_input_registers(0, INPUT)
ModbusServer("0.0.0.0", int(sys.argv[1]), no_block=True, data_bank=bank).start()
while True:
    time.sleep(60)
