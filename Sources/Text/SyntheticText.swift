import Tensors

/// The embedded corpus `synthetic-text`: articles of a small made-up language, in ASCII.
///
/// What there is to learn, from easy to hard: the spelling of some 500 words, Zipf-like
/// frequencies, the order of a sentence, the verb's ending that goes with the number of its
/// subject, the words of an article's topic, and the two names that an article introduces and
/// then speaks of. Drawn by whole numbers alone: every machine makes the same bytes.
public enum SyntheticText {
  /// About 320 kB.
  public static var train: [UInt8] { articles(0..<900) }
  /// About 36 kB.
  public static var valid: [UInt8] { articles(900..<1000) }
  /// About 36 kB.
  public static var test: [UInt8] { articles(1000..<1100) }

  /// Part of the corpus's definition: another seed is another corpus.
  private static let seed: UInt64 = 2602_21798
  private static let topics: UInt32 = 8

  private static func articles(_ range: Range<UInt64>) -> [UInt8] {
    let lexicon = Lexicon()
    var text = ""
    for index in range {
      // 0 is the lexicon's.
      var writer = Writer(
        lexicon, RandomStream(seed: seed, purpose: .syntheticText, index: 1 + index))
      text += writer.article()
    }
    return Array(text.utf8)
  }

  /// The language's words.
  private struct Lexicon {
    /// By topic.
    var nouns: [[String]] = []
    var verbs: [[String]] = []
    var adjectives: [[String]] = []
    var names: [String] = []
    var places: [String] = []

    init() {
      var random = RandomStream(seed: seed, purpose: .syntheticText)
      var taken: Set<String> = []
      func word(_ syllables: ClosedRange<UInt32>, _ ending: String = "") -> String {
        let onsets = ["b", "d", "f", "g", "k", "l", "m", "n", "p", "r", "s", "t", "v", "st", "tr"]
        let vowels = ["a", "e", "i", "o", "u", "ai", "or", "an"]
        while true {
          var word = ""
          let count = syllables.lowerBound + random.below(UInt32(syllables.count))
          for _ in 0..<count {
            word += onsets[Int(random.below(UInt32(onsets.count)))]
            word += vowels[Int(random.below(UInt32(vowels.count)))]
          }
          word += ending
          if taken.insert(word).inserted { return word }
        }
      }
      for _ in 0..<topics {
        nouns.append((0..<24).map { _ in word(1...3) })
        verbs.append((0..<12).map { _ in word(1...2, "m") })
        adjectives.append((0..<12).map { _ in word(1...2, "ish") })
      }
      names = (0..<60).map { _ in capitalized(word(2...3, "el")) }
      places = (0..<30).map { _ in capitalized(word(2...2, "burg")) }
    }
  }

  private static func capitalized(_ word: String) -> String {
    word.prefix(1).uppercased() + word.dropFirst()
  }

  /// One article.
  private struct Writer {
    private let lexicon: Lexicon
    private var random: RandomStream
    private let topic: Int
    private let people: [String]
    private let place: String

    init(_ lexicon: Lexicon, _ random: RandomStream) {
      self.lexicon = lexicon
      var random = random
      topic = Int(random.below(topics))
      people = (0..<2).map { _ in lexicon.names[Int(random.below(60))] }
      place = lexicon.places[Int(random.below(30))]
      self.random = random
    }

    mutating func article() -> String {
      let year = 1800 + random.below(220)
      var text = " = \(people[0]) of \(place) = \n \n"
      text += " In \(year) , \(people[0]) met \(people[1]) in \(place) ."
      for _ in 0..<(5 + random.below(6)) { text += " " + sentence() }
      return text + " \n \n"
    }

    private mutating func sentence() -> String {
      let isPlural = random.below(2) == 0
      let subject = random.below(3) == 0 ? nil : phrase(isPlural)
      let verb = pick(\.verbs) + (subject != nil && isPlural ? "en" : "s")
      var text = "\(subject ?? people[Int(random.below(2))]) \(verb)"
      switch random.below(4) {
      case 0: text += " in \(place)"
      case 1: text += " with \(people[Int(random.below(2))])"
      case 2: text += " " + phrase(random.below(2) == 0)
      default: text += " , and \(pick(\.verbs))\(subject != nil && isPlural ? "en" : "s") again"
      }
      return capitalized(text) + " ."
    }

    private mutating func phrase(_ isPlural: Bool) -> String {
      let article = isPlural ? "the" : random.below(2) == 0 ? "a" : "this"
      let adjective = random.below(2) == 0 ? pick(\.adjectives) + " " : ""
      return "\(article) \(adjective)\(pick(\.nouns))\(isPlural ? "i" : "")"
    }

    /// A word of the topic, or one in eight times of any; the first ones are the most frequent.
    private mutating func pick(_ kind: KeyPath<Lexicon, [[String]]>) -> String {
      let topic = random.below(8) == 0 ? Int(random.below(topics)) : self.topic
      let words = lexicon[keyPath: kind][topic]
      let bound = 1 + random.below(UInt32(words.count))
      return words[Int(random.below(bound))]
    }
  }
}
