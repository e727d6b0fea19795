import Foundation
import Tensors

/// Checkpoints: a safetensors file of the weights under the reference's names, the optimizer's
/// state under PyTorch's (`optimizer.layers.0.weight.exp_avg`), and in the metadata the position
/// and a checksum of both.
extension Trainer {
  private static let positionKey = "position"
  private static let checksumKey = "checksum"

  private var checkpointTensors: [(name: String, tensor: Tensor)] {
    var tensors = model.parameters.map { (name: $0.name, tensor: $0.value) }
    for (parameter, state) in zip(model.parameters, optimizer.state) {
      for (name, tensor) in zip(config.optimizer.stateNames, state) {
        tensors.append(("optimizer.\(parameter.name).\(name)", tensor))
      }
    }
    return tensors
  }

  /// Writes all that the run needs to go on from here, bit for bit.
  /// - Parameter identity: kept with it, and asked for when it is read.
  /// - Throws: `.checkpoint(.unwritable)`; the path then holds what it held before.
  public func writeCheckpoint(to path: String, identity: String) throws(TrainingError) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    encoder.nonConformingFloatEncodingStrategy = Self.nonFinite.encoding
    let text: String
    do { text = String(decoding: try encoder.encode(position), as: UTF8.self) } catch {
      throw .checkpoint(.unwritable(file: path, reason: "\(error)"))
    }
    let tensors = checkpointTensors
    let metadata = [
      "identity": identity, Self.positionKey: text,
      Self.checksumKey: Self.checksum(tensors, text: text),
    ]
    do { try writeSafetensors(tensors, metadata: metadata, path: path) } catch {
      throw .checkpoint(error)
    }
  }

  /// Puts the run where a checkpoint left it.
  /// - Throws: `.checkpoint` when the file is damaged or of another run; the trainer is then as it
  ///   was.
  public func restore(_ file: SafetensorsFile, identity: String) throws(TrainingError) {
    func bad(_ problem: String) -> TrainingError {
      .checkpoint(.malformed(file: file.file, problem: problem))
    }
    guard let text = file.metadata[Self.positionKey] else { throw bad("it has no position") }
    guard file.metadata["identity"] == identity else { throw bad("it belongs to another run") }
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = Self.nonFinite.decoding
    guard let position = try? decoder.decode(RunPosition.self, from: Data(text.utf8)) else {
      throw bad("its position cannot be read")
    }
    guard canStand(at: position) else { throw bad("its position is none of this run") }
    let own = checkpointTensors
    var stored: [(name: String, tensor: Tensor)] = []
    for (name, tensor) in own {
      do { stored.append((name, try file.tensor(name, shape: tensor.shape))) } catch {
        throw .checkpoint(error)
      }
    }
    guard Self.checksum(stored, text: text) == file.metadata[Self.checksumKey] else {
      throw bad("its contents do not match its checksum")
    }
    for (mine, theirs) in zip(own, stored) { mine.tensor.copy(from: theirs.tensor) }
    move(to: position)
  }

  /// Whether the run can come to a position: what a file says is not taken for an index unseen.
  private func canStand(at position: RunPosition) -> Bool {
    let done = position.history.last?.record.step ?? 0
    return position.history.count <= config.epochs && (0...stepsPerEpoch).contains(position.batch)
      && (0...totalSteps).contains(done) && position.step == done + position.batch
      && position.hasPlausibleCounts
      && position.windows?.count == self.position.windows?.count
      && zip(position.windows ?? [], model.expertCounts).allSatisfy {
        $0.length == config.excitation.window && $0.fits(experts: $1.count)
      }
  }

  private static func checksum(
    _ tensors: [(name: String, tensor: Tensor)], text: String
  ) -> String {
    var hash = ContentHash()
    hash.add(text)
    for (name, tensor) in tensors {
      hash.add(name)
      hash.add(UnsafeRawBufferPointer(tensor.buffer))
    }
    return hash.hexadecimal
  }

  /// A multiplier may be infinite; JSON has no word for it.
  private static let nonFinite:
    (
      encoding: JSONEncoder.NonConformingFloatEncodingStrategy,
      decoding: JSONDecoder.NonConformingFloatDecodingStrategy
    ) = (
      .convertToString(positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan"),
      .convertFromString(positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    )
}
