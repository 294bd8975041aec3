import Base

extension Kind where Value == Settings.TimeOfDay {
    static let timeOfDay = Kind.quoted(
        "a time of the day", hint: "hours and minutes, such as \"03:00\"", range: "00:00 to 23:59",
        text: \.description
    ) { text in Settings.TimeOfDay(text) }
}
