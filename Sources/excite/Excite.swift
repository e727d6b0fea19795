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
}
