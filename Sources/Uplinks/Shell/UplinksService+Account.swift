import Settings

extension UplinksService {
    /// The name of the uplink that carries; nil: none does.
    package var carrying: String? { selector.carrying.map { uplinks[$0].settings.name } }

    /// Others have sent over an uplink to see whether it works: that is paid for, too.
    package func account(for bytes: Int, on name: String) {
        guard let number = uplinks.firstIndex(where: { $0.settings.name == name }) else { return }
        spent(bytes, on: number)
    }
}
