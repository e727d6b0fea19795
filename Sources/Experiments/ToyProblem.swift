import Excitation
import Foundation
import Plots

/// The two-dimensional problem of the paper's Figure 1, bottom, where SGD, momentum and excited SGD
/// go down from the same place.
///
/// The paper shows its paths and not its loss; this one is ours (C). There are two experts of one
/// weight each. Three of a batch's four samples use the first, one the second, and a sample's loss
/// is that of the expert it uses, ½·w²:
///
///     loss(w) = Σ_k u_k · ½·w_k²,    u = (0.75, 0.25)
///
/// so that a gradient is u_k·w_k, and the zero-sum Φ is (1.5, 0.5), as in the figure's upper part.
/// The second expert starts near its best place: what is rarely used has little to gain. Where it
/// has much, suppressing it costs more than the first expert wins.
public struct ToyProblem: Sendable {
  public enum Method: String, CaseIterable, Sendable {
    case sgd = "SGD"
    case momentum = "SGD with momentum"
    case excited = "excited SGD"
  }

  /// u, from three and one of four samples.
  public static let utilization: [Double] = Excitation.utilization(counts: [3, 1], rows: 4)
  public static let start = [-3.0, 0.7]
  public static let rate = 0.1
  public static let momentum = 0.9
  public static let steps = 20

  public static func loss(_ weights: [Double]) -> Double {
    zip(utilization, weights).reduce(0) { $0 + $1.0 * $1.1 * $1.1 / 2 }
  }

  /// The weights before the first step and after each, [steps + 1, 2].
  public static func path(_ method: Method) -> [[Double]] {
    var weights = start
    var velocity = [0.0, 0.0]
    var path = [weights]
    let modulation =
      method == .excited ? phi(utilization, variant: .zeroSum) : utilization.map { _ in 1 }
    for _ in 0..<steps {
      let gradient = zip(utilization, weights).map { $0 * $1 }
      velocity = zip(velocity, gradient).map { (method == .momentum ? momentum : 0) * $0 + $1 }
      applyUpdate(velocity.map { -rate * $0 }, to: &weights, modulation: modulation)
      path.append(weights)
    }
    return path
  }
}

extension ToyProblem {
  /// The paths on the loss's level lines, and beside them the loss step by step.
  public static func figure(title: String) -> Drawing {
    // Grey, cyan and pink, as in the paper.
    let colors = [RGB(0x7F858C), RGB(0x00A5B5), RGB(0xE0338A)]
    let paths = zip(Method.allCases, colors).map { method, color in
      TrajectoryChart.Path(
        name: method.rawValue, color: color,
        places: path(method).map { TrajectoryChart.Place(x: $0[0], y: $0[1]) })
    }
    let plane = TrajectoryChart(
      title: "", xTitle: "w0, expert 1 (used by 3 of 4 samples)",
      yTitle: "w1, expert 2 (by 1 of 4)", paths: paths, levels: levels,
      goal: TrajectoryChart.Place(x: 0, y: 0), notes: [])
    let lines = zip(Method.allCases, colors).map { method, color in
      CurveChart.Line(
        name: method.rawValue, color: color, dash: [],
        samples: path(method).enumerated().map { step, weights in
          let loss = loss(weights)
          return CurveChart.Sample(x: Double(step), mean: loss, low: loss, high: loss)
        })
    }
    let course = CurveChart(
      title: "", xTitle: "step",
      panels: [CurveChart.Panel(title: "", yTitle: "loss", lines: lines, isCut: false)],
      columns: 1, notes: [])
    return Drawing.beside([plane.drawing(), course.drawing()], title: title)
  }

  /// Where the paths end, in a sentence.
  static var note: String {
    let losses = Method.allCases.map { method in
      "\(method.rawValue) \(String(format: "%.4f", path(method).last.map(loss) ?? .nan))"
    }
    return "loss after \(steps) steps: " + losses.joined(separator: ", ")
      + "; the paper shows paths and no loss: loss, start and number of steps are ours"
  }

  /// Ellipses of equal loss.
  private static var levels: [[TrajectoryChart.Place]] {
    let corners = 240
    return [0.005, 0.02, 0.06, 0.15, 0.35, 0.7, 1.2, 2, 3, 4.2].map { level in
      (0...corners).map { corner in
        let angle = 2 * Double.pi * Double(corner) / Double(corners)
        let radii = utilization.map { (2 * level / $0).squareRoot() }
        return TrajectoryChart.Place(x: radii[0] * cos(angle), y: radii[1] * sin(angle))
      }
    }
  }
}
