import Foundation
import Testing

/// Mistakes in a command or config: exit code 64 (EX_USAGE), one line that says where and what.
struct UsageErrorTests {
  let work: Workplace

  init() throws { work = try Workplace() }

  /// A config in place of `small.yaml`.
  struct Config: CustomTestStringConvertible {
    let testDescription: String
    let text: String
    let saying: [String]

    /// - Parameter line: stands after the small experiment, on line 10.
    init(_ name: String, adding line: String, saying: String...) {
      testDescription = name
      text = Workplace.small + line + "\n"
      self.saying = saying
    }

    init(_ name: String, changing old: String, to new: String, saying: String...) {
      testDescription = name
      text = Workplace.small.replacingOccurrences(of: old, with: new)
      self.saying = saying
    }

    init(_ name: String, text: String, saying: String...) {
      testDescription = name
      self.text = text
      self.saying = saying
    }
  }

  static let configs = [
    Config("unknown key", adding: "epoch: 3", saying: "small.yaml:10:1: epoch: ", "epochs?"),
    Config(
      "unknown key of a section", changing: "width: 16", to: "widht: 16",
      saying: "small.yaml:3:43: model.widht: unknown key", "did you mean width?"),
    Config(
      "unknown name", changing: "cosine", to: "cosin", saying: "small.yaml:5:18: schedule.name: ",
      "\"cosin\"", "constant, cosine"),
    Config("text for a number", changing: "lr: 0.1", to: "lr: fast", saying: "optimizer.lr: "),
    Config("rate of 0", changing: "lr: 0.1", to: "lr: 0", saying: "optimizer.lr: 0 "),
    Config("duplicate key", adding: "epochs: 3", saying: "small.yaml:10:1: epochs: given twice"),
    Config("tab", adding: "\tmax_steps: 3", saying: "small.yaml:10:1: ", "tab"),
    Config("not YAML", adding: "sweep: {", saying: "small.yaml:1", "not YAML"),
    Config("empty file", text: "", saying: "small.yaml: is empty"),
    Config("only comments", text: "# nothing\n", saying: "small.yaml: is empty"),
    Config("only text", text: "hello\n", saying: "small.yaml:1:1: ", "hello"),
    Config("k above width", changing: "sparsity: 0.75", to: "k: 17", saying: "model.k: 17 winners"),
    Config(
      "batch above data", changing: "batch_size: 50", to: "batch_size: 201",
      saying: "small.yaml:7:13: batch_size: ", "201", "200 training records"),
    Config("no seeds", changing: "[0, 1]", to: "[]", saying: "small.yaml:9:8: seeds: ", "empty"),
    Config("seed twice", changing: "[0, 1]", to: "[1, 1]", saying: "seeds: 1 is given twice"),
    Config("γ not a number", changing: "gamma: 1", to: "gamma: .nan", saying: "gamma: .nan "),
    Config("γ infinite", changing: "gamma: 1", to: "gamma: .inf", saying: "gamma: .inf "),
    Config(
      "foreign constant", changing: "lr: 0.1", to: "lr: 0.1, beta1: 0.9",
      saying: "sgd has no beta1"),
  ]

  @Test(arguments: configs)
  func config(_ config: Config) throws {
    try work.write(config.text, to: "small.yaml")
    let output = try work.excite("run", "small.yaml", "--out", "o")
    expectRefused(output, status: 64, saying: config.saying)
    #expect(!work.exists("o"))
  }

  struct Command: CustomTestStringConvertible {
    let arguments: [String]
    let saying: [String]
    var testDescription: String { arguments.joined(separator: " ") }

    init(_ arguments: String..., saying: [String]) {
      self.arguments = arguments
      self.saying = saying
    }
  }

  /// Wrong values, told by the reader of experiments.
  static let values = [
    Command("run", "nowhere.yaml", saying: ["nowhere.yaml: no such file"]),
    Command("run", ".", saying: [".: ", "directory"]),
    Command("sweep", "nowhere.yaml", "--lr", saying: ["nowhere.yaml: no such file"]),
    Command("run", "small.yaml", "--set", "foo=1", saying: ["--set foo=1: unknown key"]),
    Command("run", "small.yaml", "--set", "foo", saying: ["--set foo: expected key.path=value"]),
    Command(
      "run", "small.yaml", "--set", "model.widht=4",
      saying: ["--set model.widht=4: unknown key", "did you mean width?"]),
    Command("run", "small.yaml", "--set", "epochs=0", saying: ["--set epochs=0: "]),
    Command("run", "small.yaml", "--seeds", "", saying: ["--seeds", "empty"]),
    Command("run", "small.yaml", "--seeds", "3-1", saying: ["--seeds 3-1: "]),
    Command("run", "small.yaml", "--seeds", "0,0", saying: ["--seeds 0,0: 0 is given twice"]),
    Command(
      "run", "small.yaml", "--variants", "vanila",
      saying: ["--variants vanila: ", "zero-sum", "did you mean vanilla?"]),
    Command("run", "small.yaml", "--max-steps", "0", saying: ["--max-steps 0: "]),
    Command("run", "small.yaml", "--order", "random", saying: ["shuffled, sequential"]),
    Command("sweep", "small.yaml", "--lr", "fast", saying: ["--lr fast: "]),
    Command("sweep", "small.yaml", "--lr", "0.1,0.1", saying: ["0.1 is given twice"]),
    Command("sweep", "small.yaml", "--optimizer", "sgd,foo", saying: ["\"foo\"", "adagrad"]),
    Command("sweep", "small.yaml", "--batch-size", "50,201", saying: ["--batch-size", "201"]),
    Command(
      "sweep", "small.yaml", "--lr", "0.1,0.2", "--set", "optimizer.lr=0.3",
      saying: ["--set optimizer.lr=0.3: ", "--lr 0.1,0.2"]),
    Command("sweep", "small.yaml", "--set", "model.width", saying: ["--set model.width: "]),
    // 1,000 layers of 65,536² weights are 17 TB.
    Command(
      "run", "small.yaml", "--out", ".", "--set", "model.width=65536", "--set",
      "model.hidden_layers=1000", saying: ["memory", "GB"]),
    Command("sweep", saying: ["nothing to sweep over", "--lr", "--hidden-layers", "excite run"]),
    Command("sweep", "small.yaml", "--set", "epochs=1", saying: ["nothing to sweep over"]),
    Command("bench", "step", "--width", "0", saying: ["0 is not allowed"]),
  ]

  @Test(arguments: values)
  func value(_ command: Command) throws {
    let output = try work.excite(command.arguments)
    expectRefused(output, status: 64, saying: command.saying)
    #expect(work.files() == ["small.yaml"])
  }

  /// Wrong flags, told by the argument parser with a line of usage.
  static let usages = [
    Command("run", saying: ["Missing expected argument '<config>'"]),
    Command("run", "small.yaml", "more", saying: ["Unexpected argument 'more'"]),
    Command("run", "small.yaml", "--formt", "csv", saying: ["'--formt'", "'--format'"]),
    Command("run", "small.yaml", "--format", "xml", saying: ["'xml'", "'markdown'"]),
    Command("run", "small.yaml", "--out", saying: ["Missing value for '--out <dir>'"]),
    Command("run", "small.yaml", "--jobs", "0", saying: ["--jobs 0: give 1 to 1024"]),
    Command("run", "small.yaml", "--jobs", "two", saying: ["'two'", "--jobs"]),
    Command("walk", saying: ["walk: no such command", "sweep, reproduce"]),
    Command("rnu", "small.yaml", saying: ["rnu: no such command", "did you mean run?"]),
    Command("data", "ftech", saying: ["list, fetch, verify; did you mean fetch?"]),
    Command("sweep", "--learning-rate", saying: ["'--learning-rate'"]),
    Command(
      "sweep", "--lr", "small.yaml",
      saying: ["put the config before the axes, as in excite sweep small.yaml --lr"]),
    Command("status", "a", "--out", "b", saying: ["twice", "--out"]),
    Command("data", "fetch", saying: ["Missing expected argument '<name>'"]),
    Command("data", "fetch", "mnist", saying: ["'mnist'", "one of the following"]),
    Command("data", "verify", "mnist", saying: ["'mnist'", "one of the following"]),
    Command("tokenize", saying: ["Missing expected argument '<file> ...'"]),
    Command(
      "tokenize", "a", "--tokenizer", "bpe", saying: ["'bpe'", "'gpt2'", "'word'", "'byte'"]),
    Command(
      "reproduce", "table1", "--set", "epochs=1", saying: ["--set is for excite run configs/paper"]),
    Command("tokenize", "a", "--threads", "0", saying: ["--threads 0: give 1 to 1024"]),
    Command("tokenize", "a", "b", "--ids", "c", saying: ["--ids is for one file"]),
    Command("bench", "step", "--width", "wide", saying: ["'wide'", "--width"]),
  ]

  @Test(arguments: usages)
  func usage(_ command: Command) throws {
    let output = try work.excite(command.arguments)
    #expect(output.status == 64)
    #expect(output.stdout.isEmpty)
    let first = try #require(output.errorLines.first)
    #expect(first.hasPrefix("Error: "))
    for part in command.saying { #expect(first.contains(part), "\(output.stderr)") }
    #expect(output.errorLines.contains { $0.hasPrefix("Usage: excite") })
    expectNoCrash(output)
    #expect(work.files() == ["small.yaml"])
  }

  /// All mistakes of a file at once, one line each, in the file's order.
  @Test func severalMistakesAreSeveralLines() throws {
    try work.write(
      Workplace.small.replacingOccurrences(of: "width: 16", with: "width: 0") + "epoch: 3\n",
      to: "small.yaml")
    let output = try work.excite("run", "small.yaml")
    #expect(output.status == 64)
    #expect(output.errorLines.count == 2)
    #expect(output.errorLines.first?.hasPrefix("error: small.yaml:3:") == true)
    #expect(output.errorLines.last?.hasPrefix("error: small.yaml:10:1: epoch: ") == true)
  }

  /// Without a limit the size is known only once the data are there.
  @Test func batchAboveTheWholeDataSet() throws {
    try work.write(
      Workplace.small.replacingOccurrences(of: "limit: 200, ", with: ""), to: "small.yaml")
    let output = try work.excite("run", "small.yaml", "--set", "batch_size=10001")
    expectRefused(
      output, status: 64,
      saying: ["--set batch_size=10001: ", "10000 training records that synthetic has"])
  }

  @Test func emptyListOfAnAxisIsAMistake() throws {
    let output = try work.excite("sweep", "small.yaml", "--dry-run", "--lr", "")
    expectRefused(output, status: 64, saying: ["--lr"])
  }

  /// What the user typed, not what the program made of it.
  @Test func benchNamesItsOwnFlag() throws {
    let output = try work.excite("bench", "step", "--optimizer", "sgdd")
    #expect(output.status == 64)
    #expect(output.stderr.contains("'sgdd' is invalid for '--optimizer"))
    #expect(output.stderr.contains("adagrad"))
    expectNoCrash(output)
  }

  @Test func benchWithoutRepetitionsIsRefused() throws {
    let output = try work.excite("bench", "step", "--repetitions", "0", "--width", "16")
    #expect(output.status == 64)
    #expect(output.stderr.contains("--repetitions 0: give 1 or more"))
    expectNoCrash(output)
  }
}
