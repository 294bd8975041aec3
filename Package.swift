// swift-tools-version: 6.2
import PackageDescription

/// Swift 6 language mode comes with the tools version; these make it stricter still.
let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]

/// What every room and every test may use.
let foundations = ["Base", "Settings", "Linux"]

let log: Target.Dependency = .product(name: "Logging", package: "swift-log")

/// A room of the house: it may use the shared words, the settings and the kernel, but no other room.
func room(_ name: String, _ more: [Target.Dependency] = []) -> Target {
    .target(
        name: name, dependencies: foundations.map { .byName(name: $0) } + [log] + more,
        swiftSettings: strict)
}

func tests(_ name: String, _ more: [Target.Dependency] = [], exclude: [String] = []) -> Target {
    .testTarget(
        name: name + "Tests",
        dependencies: foundations.filter { $0 != name }.map { .byName(name: $0) } + [
            .byName(name: name), "TestSupport", log,
        ] + more,
        path: "Tests/" + name, exclude: exclude, swiftSettings: strict)
}

let package = Package(
    name: "drawbridge",
    products: [
        .executable(name: "drawbridge", targets: ["drawbridge"]),
        .executable(name: "drawbridge-site", targets: ["drawbridge-site"]),
        .library(name: "fakegpio", type: .dynamic, targets: ["CFakeGPIO"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // The executable: commands and the wiring between the rooms.
        .executableTarget(
            name: "drawbridge",
            dependencies: [
                "Base", "Settings", "Uplinks", "Firewall", "Egress", "KillSwitch", "Tunnel",
                "Recorder", "Machines", "Cloud", "Console", "Configuration", "Linux", log,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict),

        // The foundations.
        .target(name: "Base", swiftSettings: strict),
        .target(name: "Settings", dependencies: ["Base"], swiftSettings: strict),
        .target(
            name: "Linux", dependencies: ["Base", "CLinux", "CMosquitto", "COpenSSL", "CCurl"],
            swiftSettings: strict),

        // The rooms.
        room("Uplinks"),
        room("Firewall"),
        room("Egress"),
        room("KillSwitch", ["CGPIO"]),
        room("Tunnel"),
        room("Recorder", ["CZstd"]),
        room("Machines", ["CModbus"]),
        room("Cloud"),
        room("Console", ["CTLS", "CMicroHTTPD"]),
        room("Configuration"),

        // As little C as possible.
        .target(name: "CLinux"),
        .target(name: "CCurl", linkerSettings: [.linkedLibrary("dl")]),
        .target(name: "CGPIO", linkerSettings: [.linkedLibrary("gpiod")]),
        .target(
            name: "CTLS", linkerSettings: [.linkedLibrary("ssl"), .linkedLibrary("crypto")]),
        .target(name: "CMicroHTTPD", linkerSettings: [.linkedLibrary("microhttpd")]),
        .systemLibrary(name: "CMosquitto"),
        .systemLibrary(name: "COpenSSL", pkgConfig: "openssl"),
        .systemLibrary(name: "CZstd"),
        .systemLibrary(name: "CModbus", pkgConfig: "libmodbus"),

        // The emulated site: never part of the daemon.
        .target(
            name: "Site",
            dependencies: [
                "Base", "Settings", "Linux", "Recorder", "Machines", "Cloud", "Console", "CModbus",
                log,
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "drawbridge-site",
            dependencies: [
                "Base", "Firewall", "Linux", "Site", log,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),
        // It is loaded into the daemon: the released one has Swift's libraries inside, and shall not load them once more.
        .target(
            name: "CFakeGPIO",
            linkerSettings: [
                .linkedLibrary("dl"),
                .unsafeFlags(["-static-stdlib", "-nostartfiles"], .when(configuration: .release)),
            ]),
        .executableTarget(name: "fakegpiod", dependencies: ["CFakeGPIO"]),

        // Benchmarks: what bench/*.sh run.
        .executableTarget(
            name: "store-bench", dependencies: ["Base", "Settings", "Linux", "Recorder", log],
            path: "bench/Store",
            swiftSettings: strict),
        .executableTarget(
            name: "weather-bench", dependencies: ["Base", "Weather"], path: "bench/Weather",
            swiftSettings: strict),

        // Tests: a folder a room; then the house rules, seeded weather, and whole sites.
        .target(
            name: "TestSupport", dependencies: ["Base", "Linux", "CLinux"], path: "Tests/Support",
            swiftSettings: strict),
        // Seeded weather over three uplinks, which tests and a benchmark play.
        .target(
            name: "Weather", dependencies: ["Base", "Uplinks", "TestSupport"],
            path: "Tests/Weather", swiftSettings: strict),
        // The kill switch in a process of its own: the GPIO emulation is preloaded into it.
        .executableTarget(
            name: "killswitch-probe",
            dependencies: ["Base", "Settings", "Linux", "KillSwitch", log],
            path: "Tests/Tools/killswitch-probe", swiftSettings: strict),
        tests("Base"),
        tests("Settings", exclude: ["Fixtures"]),
        tests("Linux"),
        tests("Uplinks"),
        tests("Firewall"),
        tests("Egress"),
        tests("KillSwitch", ["fakegpiod", "killswitch-probe"]),
        tests("Tunnel"),
        tests("Recorder", exclude: ["Stores"]),
        tests("Machines", ["CModbus"]),
        tests("Cloud", exclude: ["Fixtures"]),
        tests("Console"),
        tests("Configuration"),
        .testTarget(
            name: "HouseTests", dependencies: ["Base"], path: "Tests/House", swiftSettings: strict),
        .testTarget(
            name: "SimulationTests", dependencies: ["Base", "Uplinks", "TestSupport", "Weather"],
            path: "Tests/Simulation", swiftSettings: strict),
        .testTarget(
            name: "SitesTests",
            dependencies: [
                "Base", "Linux", "Site", "Console", "Recorder", "drawbridge", "drawbridge-site",
                "fakegpiod", "TestSupport",
            ],
            path: "Tests/Sites", swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6]
)
