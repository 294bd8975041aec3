/// Decides which file of a stick this router takes, if any.
///
///     for another router ──▶ no    no signature of the owner ──▶ no    older than the last one ──▶ no
package struct StickJudge {
    package var serial: String
    /// How many keys the owner has given.
    package var keys: Int
    package var last: StickRecord?
    /// The fingerprint of the key that has signed it; nil: none has.
    package var signer: (_ file: SignedConfiguration) -> String?

    package init(
        serial: String, keys: Int, last: StickRecord?,
        signer: @escaping (_ file: SignedConfiguration) -> String?
    ) {
        self.serial = serial
        self.keys = keys
        self.last = last
        self.signer = signer
    }

    package struct Accepted: Equatable, Sendable {
        package var name: String
        package var file: SignedConfiguration
        package var record: StickRecord
        /// It was put in force before, by a stick.
        package var isKnown: Bool
    }

    /// The newest of its files that is signed for this router.
    package func judge(_ bundle: StickBundle) throws(StickRefusal) -> Accepted {
        var others: [String] = []
        var refusals: [StickRefusal] = []
        var newest: Accepted?
        for file in bundle.files {
            do throws(StickRefusal) {
                let accepted = try judge(file)
                if accepted.file.sequence >= newest?.file.sequence ?? 0 { newest = accepted }
            } catch {
                if case .otherSerial(_, let its, _) = error {
                    others.append(its)
                } else {
                    refusals.append(error)
                }
            }
        }
        if let newest { return newest }
        if let trouble = bundle.trouble {
            throw bundle.isForeign ? .otherFormat(trouble) : .unreadable(trouble)
        }
        // What is wrong with a file of ours says more than that there are files of others.
        let ours = SignedConfiguration.fileName(serial: serial)
        if let refusal = refusals.first(where: { "\($0)".hasPrefix(ours) }) ?? refusals.first {
            throw refusal
        }
        guard others.isEmpty else { throw .otherRouters(others, serial: serial) }
        throw .nothingThere(serial: serial)
    }

    /// One file: for this router, signed by the owner, not older than the last one.
    package func judge(_ file: StickBundle.File) throws(StickRefusal) -> Accepted {
        guard let bytes = file.bytes else {
            throw .tooLarge(name: file.name, bytes: file.length)
        }
        let signed = try SignedConfiguration(bytes, name: file.name)
        guard signed.serial == serial else {
            throw .otherSerial(name: file.name, its: signed.serial, ours: serial)
        }
        guard let key = signer(signed) else {
            throw .badSignature(name: file.name, keys: keys)
        }
        let record = StickRecord(sequence: signed.sequence, digest: signed.digest, key: key)
        let isKnown = record.sequence == last?.sequence && record.digest == last?.digest
        if let last, !isKnown, record.sequence <= last.sequence {
            throw .old(name: file.name, sequence: record.sequence, last: last.sequence)
        }
        return Accepted(name: file.name, file: signed, record: record, isKnown: isKnown)
    }
}
