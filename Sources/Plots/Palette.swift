/// The colours of charts. Lines and bars take those of Okabe and Ito (Color Universal Design,
/// 2008), which people with colour-blindness tell apart.
public enum Palette {
  private static let gray = RGB(0x7F858C)
  private static let known: [String: RGB] = [
    "vanilla": gray, "zero-sum": RGB(0x0072B2), "positive-sum": RGB(0xD55E00),
    "exp-diff": RGB(0x009E73), "global-exp": RGB(0xCC79A7), "random-boost": RGB(0xE69F00),
    "inverted": RGB(0x56B4E9),
  ]
  private static let others = [
    RGB(0x6A51A3), RGB(0x8C6D31), RGB(0xB10026), RGB(0x41AB5D), RGB(0x2B8CBE), RGB(0xF768A1),
  ]
  /// Dashes that tell apart lines of one colour.
  private static let dashes: [[Double]] = [[], [6, 4], [1.5, 3.5], [9, 3.5, 1.5, 3.5]]

  /// The colour of each variant: the paper's have their own in every chart, vanilla is grey, and
  /// others take what is left in the order given.
  public static func colors(_ variants: [String]) -> [String: RGB] {
    var colors: [String: RGB] = [:]
    var count = 0
    for variant in variants where colors[variant] == nil {
      if let color = known[variant] {
        colors[variant] = color
      } else {
        colors[variant] = others[count % others.count]
        count += 1
      }
    }
    return colors
  }

  /// One of several lines or bars of a variant, such as its γ: from darker to lighter.
  public static func shade(_ color: RGB, _ index: Int, of count: Int) -> RGB {
    guard count > 1 else { return color }
    let deepest = 0.4
    let palest = 0.55
    let place = Double(index) / Double(count - 1) * (deepest + palest) - deepest
    return color.mixed(with: RGB(place < 0 ? 0x000000 : 0xFFFFFF), abs(place))
  }

  /// A pattern of dashes and gaps in points, none for the first.
  public static func dash(_ index: Int) -> [Double] { dashes[max(index, 0) % dashes.count] }

  /// ColorBrewer's RdBu, from its red at −1 over white to its blue at 1.
  static func diverging(_ value: Double) -> RGB {
    let blues = [RGB(0xF7F7F7), RGB(0xD1E5F0), RGB(0x92C5DE), RGB(0x4393C3), RGB(0x2166AC)]
    let reds = [RGB(0xF7F7F7), RGB(0xFDDBC7), RGB(0xF4A582), RGB(0xD6604D), RGB(0xB2182B)]
    guard value.isFinite else { return blues[0] }
    let steps = value < 0 ? reds : blues
    let place = min(abs(value), 1) * Double(steps.count - 1)
    let index = min(Int(place), steps.count - 2)
    return steps[index].mixed(with: steps[index + 1], place - Double(index))
  }
}
