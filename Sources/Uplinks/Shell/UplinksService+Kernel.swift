package import Base
package import Logging
package import Settings

extension UplinksService {
    /// On the kernel's own sockets, which are opened by the calling thread; needs CAP_NET_RAW and CAP_NET_ADMIN.
    package init(
        uplinks: [Settings.Uplink], failover: Settings.Failover, lan: String,
        clock: any MonotonicClock, account: ProbeAccount, checker: (any PortalChecker)? = nil,
        logger: Logger
    ) throws {
        self.init(
            uplinks: uplinks, failover: failover, lan: lan,
            prober: try TargetProber(uplinks: uplinks, clock: clock),
            routes: try KernelRoutes(), flows: try KernelFlows(), clock: clock, account: account,
            checker: checker, gateways: try KernelGateways(), logger: logger)
    }
}
