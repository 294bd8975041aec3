import Base
import Glibc
import Weather

/// Plays days of weather, and prints one line of `name value` pairs, after one for each broken promise:
///
///     weather-bench SEED DAYS           one day for each seed from SEED on
///     weather-bench SEED DAYS SECOND    and tells all that happens from that second of the day on
///
/// Exits with 1 if a promise was broken.
@main
struct WeatherBench {
    static func main() {
        let numbers = CommandLine.arguments.dropFirst().compactMap { Int64($0) }
        guard (2...3).contains(numbers.count), numbers[0] >= 0, numbers[1] >= 0 else {
            print("usage: weather-bench SEED DAYS [SECOND]")
            exit(2)
        }
        let tellingFrom =
            numbers.count == 3 ? Instant(nanoseconds: numbers[2] * 1_000_000_000) : nil
        var (events, switches, broken) = (0, 0, 0)
        var digest: UInt64 = 0
        for seed in numbers[0]..<(numbers[0] + numbers[1]) {
            do throws(Violation) {
                let weather = try UplinkWeather.playDay(
                    seed: UInt64(seed), tellingFrom: tellingFrom)
                events += weather.eventsHandled
                switches += weather.switches
                digest ^= weather.digest
            } catch {
                print("seed \(seed): \(error)")
                broken += 1
            }
        }
        print(
            "from \(numbers[0]) days \(numbers[1]) events \(events) switches \(switches)",
            "broken \(broken) cpu_ms \(cpuMilliseconds) digest \(String(digest, radix: 16))")
        exit(broken == 0 ? 0 : 1)
    }

    /// The corresponding C function is `clock_gettime` with `CLOCK_PROCESS_CPUTIME_ID`.
    private static var cpuMilliseconds: Int {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
    }
}
