import ArgumentParser
import Excitation
import Optimizers
import Training

/// What a shell offers after an option. Of lists such as `vanilla,zero-sum` it completes the first.
extension CompletionKind {
  static var experiments: CompletionKind { .file(extensions: ["yaml", "yml"]) }
  static var weights: CompletionKind { .file(extensions: ["safetensors"]) }
  static var variants: CompletionKind { names(of: ExcitationVariant.self) }
  static var optimizers: CompletionKind { names(of: OptimizerName.self) }
  static var schedules: CompletionKind { names(of: ScheduleConfig.Name.self) }
  static var orders: CompletionKind { names(of: RunConfig.Order.self) }

  private static func names<Name>(of type: Name.Type) -> CompletionKind
  where Name: RawRepresentable<String> & CaseIterable {
    .list(Name.allCases.map(\.rawValue))
  }
}
