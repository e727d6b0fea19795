import Excitation
import Training

extension ExperimentConfig {
  /// The experiment with every default filled in, as YAML that `parse` reads back to the same runs.
  ///
  /// A key is written if any setting uses it, so that a grid's other points keep its value.
  public var resolvedYAML: String {
    header.map { ($0.isEmpty ? "#" : "# \($0)") + "\n" }.joined() + uncommentedYAML
  }

  /// Without the header, which says nothing that a run depends on.
  var uncommentedYAML: String {
    let configs = settings.map { $0.run(ExcitationConfig(variant: .vanilla), seed: seeds[0]) }
    var lines: [String] = []
    let swept = axes.map(\.keyPath)
    for section in ConfigKey.sections {
      let isGrid = section == "optimizer" && axes.first?.keyPath == section
      if isGrid {
        lines.append("optimizer:")
        lines += axes[0].values.map { "  - \($0)" }
      } else if section == "excitation" {
        lines.append(excitationLine(without: swept))
      } else if !swept.contains(section) {
        lines.append("\(section): " + yamlMap(configs, section: section, without: swept))
      }
    }
    lines += topLines(of: configs, without: swept)
    lines.append("seeds: [\(seeds.map(String.init).joined(separator: ", "))]")
    let rest = axes.drop { $0.keyPath == "optimizer" && $0.keyPath == axes.first?.keyPath }
    if !rest.isEmpty || !exclusions.isEmpty { lines.append("sweep:") }
    lines += rest.map { "  \($0.keyPath): [\($0.values.joined(separator: ", "))]" }
    if !exclusions.isEmpty { lines.append("  \(GridExclusion.name):") }
    lines += exclusions.map { "    - \($0)" }
    return lines.joined(separator: "\n") + "\n"
  }

  private func excitationLine(without swept: [String]) -> String {
    let names = variants.map(\.rawValue).joined(separator: ", ")
    let gamma =
      gammas.count == 1 ? yaml(gammas[0]) : "[\(gammas.map(yaml).joined(separator: ", "))]"
    let clamp = variants.contains(.inverted) ? ", epsilon: \(yaml(epsilon))" : ""
    let window = swept.contains(ConfigKey.window) ? "" : windowField(settings[0].window)
    return "excitation: {variants: [\(names)], gamma: \(gamma)\(clamp)\(window)}"
  }
}

extension RunConfig {
  /// The run as an experiment of its own.
  public var resolvedYAML: String {
    let config = canonical
    var lines: [String] = []
    for section in ConfigKey.sections where section != "excitation" {
      lines.append("\(section): " + yamlMap([config], section: section, without: []))
    }
    let excitation = config.excitation
    let clamp = excitation.variant == .inverted ? ", epsilon: \(yaml(excitation.epsilon))" : ""
    lines.append(
      "excitation: {variants: [\(excitation.variant.rawValue)], gamma: \(yaml(excitation.gamma))"
        + "\(clamp)\(windowField(excitation.window))}")
    lines += topLines(of: [config], without: [])
    lines.append("seeds: [\(seed)]")
    return lines.joined(separator: "\n") + "\n"
  }
}

private func windowField(_ window: Int) -> String { window == 1 ? "" : ", window: \(window)" }

/// A section's keys as a map on one line, without those that have no effect in any of the configs
/// and those listed.
func yamlMap(_ configs: [RunConfig], section: String, without omitted: [String]) -> String {
  let fields = ConfigKey.all.filter { $0.section == section && !omitted.contains($0.path) }
    .compactMap { key in key.firstWritten(configs).map { "\(key.key): \($0)" } }
  return "{" + fields.joined(separator: ", ") + "}"
}

private func topLines(of configs: [RunConfig], without omitted: [String]) -> [String] {
  ConfigKey.all.filter { $0.section.isEmpty && !omitted.contains($0.path) }
    .compactMap { key in key.firstWritten(configs).map { "\(key.path): \($0)" } }
}

extension ConfigKey {
  /// The key's text in the first config that it has an effect in.
  fileprivate func firstWritten(_ configs: [RunConfig]) -> String? {
    for config in configs { if let text = write(config) { return yamlText(text) } }
    return nil
  }
}
