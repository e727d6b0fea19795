import ArgumentParser
import Experiments

@main
struct Excite: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "excite",
    abstract: "Reproduces the paper \"Excitation: Momentum For Experts\" from YAML experiments.",
    discussion: """
      Examples:
        excite run configs/quickstart.yaml
        excite doctor
        excite --generate-completion-script bash
      """,
    version: sourceCommit().map { "excite \(exciteVersion) (commit \($0))" }
      ?? "excite \(exciteVersion)",
    subcommands: [
      RunCommand.self, SweepCommand.self, ReproduceCommand.self, CalibrateCommand.self,
      StatusCommand.self, ReportCommand.self, DataCommand.self, TokenizeCommand.self,
      SampleCommand.self, BenchCommand.self, DoctorCommand.self,
    ])

  static func main() {
    do {
      try checkCommandName()
      var command = try parseAsRoot()
      do {
        try checkAddressSpace()
        try checkKernels()
      } catch { throw Failure.exit(error) }
      try command.run()
    } catch {
      exit(withError: error)
    }
  }

  /// A mistyped command is told by name, with the nearest one; the parser calls it an unexpected
  /// argument.
  private static func checkCommandName() throws {
    var command: any ParsableCommand.Type = Excite.self
    for name in CommandLine.arguments.dropFirst() {
      let commands = command.configuration.subcommands
      guard !commands.isEmpty, !name.hasPrefix("-"), name != "help" else { return }
      guard let next = commands.first(where: { $0._commandName == name }) else {
        let names = commands.map { $0._commandName }
        let guess = nearest(to: name, in: names).map { "; did you mean \($0)?" } ?? ""
        throw ValidationError(
          "\(name): no such command; there are \(names.joined(separator: ", "))\(guess)")
      }
      command = next
    }
  }
}
