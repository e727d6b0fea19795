#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// What a random stream is for. One stream per purpose, so that a draw for one never moves another.
public enum RandomPurpose: UInt64, CaseIterable, Sendable {
  case initialization = 1
  case shuffle, augmentation, excitation, syntheticImages, syntheticText
}

/// A stream of random numbers keyed by (seed, purpose, index), counter-based: the state is one
/// counter, so a checkpoint stores a number and any position can be reached at once.
///
/// Source: Philox4x32-10, Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (SC 2011).
/// The key is the seed; the upper counter words hold purpose and index.
public struct RandomStream: RandomNumberGenerator, Sendable {
  private let key: (UInt32, UInt32)
  private let stream: (UInt32, UInt32)
  /// Blocks of four 32-bit words drawn so far.
  private var block: UInt64 = 0
  private var words: (UInt32, UInt32, UInt32, UInt32) = (0, 0, 0, 0)
  private var used = 4

  /// - Parameter index: which of the purpose's streams, for example the epoch.
  public init(seed: UInt64, purpose: RandomPurpose, index: UInt64 = 0) {
    key = (UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
    stream = (
      UInt32(truncatingIfNeeded: index),
      UInt32(truncatingIfNeeded: purpose.rawValue << 24) ^ UInt32(truncatingIfNeeded: index >> 32)
    )
  }

  /// Uniform over all 32-bit words.
  public mutating func nextWord() -> UInt32 {
    if used == 4 {
      words = philox4x32(
        (
          UInt32(truncatingIfNeeded: block), UInt32(truncatingIfNeeded: block >> 32), stream.0,
          stream.1
        ), key: key)
      block += 1
      used = 0
    }
    defer { used += 1 }
    switch used {
    case 0: return words.0
    case 1: return words.1
    case 2: return words.2
    default: return words.3
    }
  }

  public mutating func next() -> UInt64 {
    let low = UInt64(nextWord())
    return low | UInt64(nextWord()) << 32
  }

  /// Uniform in [0, 1), 24 bits.
  public mutating func uniform() -> Float {
    Float(nextWord() >> 8) * 0x1p-24
  }

  /// Uniform over 0 ..< bound, without bias (Lemire 2019).
  public mutating func below(_ bound: UInt32) -> UInt32 {
    precondition(bound > 0, "a random number below 0 was asked for")
    var product = UInt64(nextWord()) * UInt64(bound)
    if UInt32(truncatingIfNeeded: product) < bound {
      let threshold = (0 &- bound) % bound
      while UInt32(truncatingIfNeeded: product) < threshold {
        product = UInt64(nextWord()) * UInt64(bound)
      }
    }
    return UInt32(truncatingIfNeeded: product >> 32)
  }

  /// A permutation of 0 ..< count, each equally likely (Fisher-Yates).
  public mutating func permutation(_ count: Int) -> [UInt32] {
    var order = [UInt32](unsafeUninitializedCapacity: count) { buffer, filled in
      for i in 0..<count { buffer[i] = UInt32(i) }
      filled = count
    }
    order.withUnsafeMutableBufferPointer { buffer in
      for i in stride(from: count - 1, to: 0, by: -1) {
        buffer.swapAt(i, Int(below(UInt32(i + 1))))
      }
    }
    return order
  }
}

/// Ten rounds of Philox4x32 on one counter block.
public func philox4x32(
  _ counter: (UInt32, UInt32, UInt32, UInt32), key: (UInt32, UInt32)
) -> (UInt32, UInt32, UInt32, UInt32) {
  var (c0, c1, c2, c3) = counter
  var (k0, k1) = key
  for _ in 0..<10 {
    let p0 = UInt64(c0) * 0xD251_1F53
    let p1 = UInt64(c2) * 0xCD9E_8D57
    (c0, c1, c2, c3) = (
      UInt32(truncatingIfNeeded: p1 >> 32) ^ c1 ^ k0, UInt32(truncatingIfNeeded: p1),
      UInt32(truncatingIfNeeded: p0 >> 32) ^ c3 ^ k1, UInt32(truncatingIfNeeded: p0)
    )
    k0 &+= 0x9E37_79B9
    k1 &+= 0xBB67_AE85
  }
  return (c0, c1, c2, c3)
}

extension RandomStream {
  /// Normal with mean 0 and standard deviation 1 (Box-Muller, one of the pair).
  public mutating func normal() -> Float {
    // 1 − uniform lies in (0, 1], where the logarithm is finite.
    let radius = (-2 * logf(1 - uniform())).squareRoot()
    return radius * cosf(2 * .pi * uniform())
  }
}
