/// Which parts of the settings are columns, and what is said once for all of them.
struct SettingAxes {
  /// A column's title and its value per group.
  private(set) var columns: [(title: String, values: [String])] = []
  /// What the settings share, and what a column already implies (a rate per optimizer).
  private(set) var phrases: [String] = []

  /// - Parameter settings: one per group.
  init(_ settings: [SettingRecord]) {
    let declared = Self.declaredKeys(settings)
    var shown: Set<String> = []
    for (key, path) in declared {
      let values: [String]
      let title: String
      if let field = SettingField.all.first(where: { $0.key == key }) {
        values = settings.map(field.text)
        title = field.title
      } else {
        values = settings.map { setting in
          setting.varying.first { $0.key == path }?.value ?? missing
        }
        // Two axes may end in the same word.
        title = declared.count { $0.key == key } > 1 ? path : key
      }
      if Set(values).count > 1 {
        columns.append((title, values))
        shown.insert(key)
      } else if let value = values.first, !SettingField.all.contains(where: { $0.key == key }) {
        phrases.append("\(title) \(value)")
      }
    }
    for field in SettingField.all where !shown.contains(field.key) {
      let values = settings.map(field.text)
      // A field that differs within equal columns has to be one, declared or not.
      if Set(labels).count < Set(zip(labels, values).map { "\($0)\n\($1)" }).count
        || (columns.isEmpty && Set(values).count > 1)
      {
        columns.append((field.title, values))
        shown.insert(field.key)
      }
    }
    var fixed: [String] = []
    for field in SettingField.all where !shown.contains(field.key) {
      let values = settings.map(field.text)
      fixed += phrase(field, values)
    }
    phrases = fixed + phrases
  }

  /// Short keys and paths of the declared axes: fields in their order, then the others.
  private static func declaredKeys(_ settings: [SettingRecord]) -> [(key: String, path: String)] {
    var found: [(key: String, path: String)] = []
    for axis in settings.flatMap(\.varying) where !found.contains(where: { $0.path == axis.key }) {
      found.append((axis.shortKey, axis.key))
    }
    let fields = SettingField.all.compactMap { field in found.first { $0.key == field.key } }
    let others = found.filter { axis in !SettingField.all.contains { $0.key == axis.key } }
    return fields + others
  }

  /// Each group's columns as one text.
  private var labels: [String] {
    guard let count = columns.first?.values.count else { return [] }
    return (0..<count).map { group in
      columns.map { $0.values[group] }.joined(separator: " ")
    }
  }

  /// "lr 0.01", or "lr 0.01 (sgd, momentum)" and "lr 0.0001 (adam)".
  private func phrase(_ field: SettingField, _ values: [String]) -> [String] {
    var distinct: [String] = []
    for value in values where value != missing && !distinct.contains(value) {
      distinct.append(value)
    }
    if distinct.count <= 1, Set(values).count <= 1 { return distinct.map(field.phrase) }
    let names = deciding(values)
    return distinct.map { value in
      let owners = Reports.distinct(zip(names, values).filter { $0.1 == value }.map(\.0))
      return "\(field.phrase(value)) (\(owners.joined(separator: ", ")))"
    }
  }

  /// The first column that the values go with (a rate that each optimizer has), else all columns.
  private func deciding(_ values: [String]) -> [String] {
    let column = columns.first { column in
      Set(zip(column.values, values).map { "\($0)\n\($1)" }).count == Set(column.values).count
    }
    return column?.values ?? labels
  }
}
