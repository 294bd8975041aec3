import KillSwitch
import Synchronization

/// Lit while the VPN stands and the gate is open: somebody may be working on the machine.
final class SessionLamp: Sendable {
    let service: SessionLampService
    private let state = Mutex((isConnected: false, isGateOpen: false))

    init(_ service: SessionLampService) {
        self.service = service
    }

    func gateMoved(isOpen: Bool) {
        state.withLock { $0.isGateOpen = isOpen }
        show()
    }

    func sessionMoved(isConnected: Bool) {
        state.withLock { $0.isConnected = isConnected }
        show()
    }

    private func show() {
        service.show(state.withLock { $0.isConnected && $0.isGateOpen })
    }
}
