import Cloud
import Egress
import Firewall
import KillSwitch
import Recorder

// What one room offers and another asks for: the same words on both sides, so hardly anything has to be written.

/// The key switch holds the firewall's gate.
extension GateLease: Gate {}

/// The resolver opens addresses in the firewall before it tells them.
extension FirewallService: AddressOpener {}

/// The cloud takes its records from the ring.
extension RecorderKeeperService: RecordSource {}
