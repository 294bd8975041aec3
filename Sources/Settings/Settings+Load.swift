extension Settings {
    /// Reads and checks a config file and the `conf.d/*.toml` beside it, in the order of their names.
    ///
    /// A later file adds tables to lists and replaces single values. Throws all errors at once.
    package static func load(file: String) throws(SettingsErrors) -> Settings {
        try loadWithSources(file: file).settings
    }

    /// The same, with the files as they were read: what was checked is what can be kept.
    package static func loadWithSources(file: String) throws(SettingsErrors)
        -> (settings: Settings, sources: [SettingsSource])
    {
        let (sources, problems) = SettingsFiles.read(main: file)
        return (try parse(sources, after: problems), sources)
    }

    /// Checks one file's text.
    package static func parse(
        _ text: String, name: String = "drawbridge.toml"
    ) throws(SettingsErrors) -> Settings {
        try parse([SettingsSource(name: name, bytes: Array(text.utf8))])
    }

    /// Checks the texts of the main file and of those that are merged into it.
    package static func parse(_ sources: [SettingsSource]) throws(SettingsErrors) -> Settings {
        try parse(sources, after: [])
    }

    private static func parse(
        _ sources: [SettingsSource], after problems: [SettingsProblem]
    ) throws(SettingsErrors) -> Settings {
        var problems = problems
        let files = sources.map(\.name)
        let start = Position(file: files.first ?? "", line: 1, column: 1)
        let root = TOMLTable(.header, at: start)
        // A part that could not be read may hold what would now be called missing.
        root.isDamaged = !problems.isEmpty
        for source in sources {
            let (table, faults) = TOMLParser.parse(source.bytes, file: source.name)
            problems += faults
            root.merge(table, path: "", problems: &problems)
        }
        guard !root.entries.isEmpty else {
            if problems.isEmpty {
                let message = "says nothing; begin with the example, etc/drawbridge.toml"
                problems.append(SettingsProblem(Position(file: start.file), message))
            }
            throw SettingsErrors(problems, files: files)
        }
        var report = Report(start: start)
        let draft = Sections.root.read(root, path: "", into: &report)
        var rules = Rules(settings: draft.settings, keepAlive: draft.keepAlive, report: report)
        rules.check()
        problems += rules.report.problems
        guard problems.isEmpty else { throw SettingsErrors(problems, files: files) }
        return draft.settings
    }
}

extension TOMLTable {
    /// Adds what a later file says.
    fileprivate func merge(
        _ later: TOMLTable, path: String, problems: inout [SettingsProblem]
    ) {
        isDamaged = isDamaged || later.isDamaged
        for entry in later.entries {
            guard let mine = self[entry.name] else {
                set(entry)
                continue
            }
            let key = path.isEmpty ? entry.name : "\(path).\(entry.name)"
            switch (mine.value.value, entry.value.value) {
            case (.table(let table), .table(let other)):
                table.merge(other, path: key, problems: &problems)
            case (.tables(let tables), .tables(let others)):
                tables.all += others.all
            case (.table, let other), (.tables, let other):
                let message = "\(other) where \(mine.value.position) has \(mine.value.value)"
                problems.append(SettingsProblem(entry.position, key: key, message))
            default:
                set(entry)
            }
        }
    }
}
