/// Δ PPL of one of the paper's language models (arXiv:2602.21798, Table 2): vanilla − excited, of one
/// seed, and of which variant the paper does not say.
struct PublishedGain: Sendable {
  static let model = "gpt_moe"
  private static let table = "2"
  /// d of the paper's models; an expert's width counts in proportion to it.
  static let width = 512

  let experts: Int
  let picked: Int
  /// F at that d.
  let hidden: Int
  let gain: Double

  /// Nil for a row of another table. Its note is as "experts=4 top_k=2 d_ff=256 params_millions=77".
  init?(_ row: PublishedValues.Row) throws(ReportsError) {
    guard try row.text("table") == Self.table else { return nil }
    let words = try row.text("note").split(separator: " ")
    func number(_ name: String) -> Int? {
      words.first { $0.hasPrefix("\(name)=") }.flatMap { Int($0.dropFirst(name.count + 1)) }
    }
    guard let experts = number("experts"), let picked = number("top_k"),
      let hidden = number("d_ff")
    else {
      throw .publishedValues(line: row.line, problem: "the note names no experts, top_k and d_ff")
    }
    self.experts = experts
    self.picked = picked
    self.hidden = hidden
    gain = try row.number("mean")
  }
}

extension [PublishedGain] {
  /// The paper's value stands beside both of its targeted variants.
  func value(for setting: SettingRecord, variant: String, gamma: Double?) -> Double? {
    guard setting.model == PublishedGain.model, gamma == 1,
      ["zero-sum", "positive-sum"].contains(variant), let hidden = setting.hidden,
      let width = setting.width
    else { return nil }
    return first {
      $0.experts == setting.experts && $0.picked == setting.picked
        && $0.hidden * width == hidden * PublishedGain.width
    }?.gain
  }
}
