import Reports
import Testing

/// What the line "config" says of a setting.
@Suite struct SettingWordsTests {
  private func config(_ settings: [SettingRecord]) throws -> String {
    let outcomes = settings.flatMap { runs($0, "vanilla", gamma: nil, [40]) }
    let style = TerminalStyle(color: false, width: 500)
    let text = render(try table(outcomes), format: .table, style: style)
    return text.split(separator: "\n").first { $0.hasPrefix("  config") }.map(String.init) ?? ""
  }

  @Test func cutsAndWindow() throws {
    var record = setting()
    record.limit = 200
    record.testLimit = 1
    record.maxSteps = 1
    record.window = 4
    let line = try config([record])
    #expect(line.contains("cifar10, first 200 training images, first 1 test images, sgd"))
    #expect(line.hasSuffix("utilization over 4 batches, 300 epochs, stopped after 1 step"))
  }

  @Test func transformer() throws {
    var record = setting(sparsity: 0.9, hiddenLayers: 4, model: "moe_vit", comparable: false)
    record.sparsity = nil
    record.heads = 4
    record.experts = 64
    record.picked = 2
    record.hidden = 256
    record.patch = 4
    #expect(
      try config([record]).contains(
        "width 128, 4 heads, 64 experts, 2 picked, expert width 256, patch 4, 300 epochs"))
  }

  /// A window of one batch means nothing alone, but is a value of the axis; kept experiments of
  /// earlier versions have it only there.
  @Test func windowAsAnAxis() throws {
    let settings = [1, 4].map { window in
      var record = setting(varying: [SettingAxis("window", "\(window)")], comparable: false)
      record.window = window == 1 ? nil : window
      return record
    }
    let outcomes = settings.flatMap { runs($0, "vanilla", gamma: nil, [40]) }
    let text = render(
      try table(outcomes), format: .table, style: TerminalStyle(color: false, width: 500))
    let rows = text.split(separator: "\n").filter { $0.contains("vanilla ") }
    #expect(text.contains("window  variant"))
    #expect(rows.count == 2)
    #expect(!text.contains("utilization over"))
    #expect(try !config([setting()]).contains("utilization"))
  }
}
