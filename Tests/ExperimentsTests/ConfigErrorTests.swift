import Experiments
import Foundation
import Testing

/// An experiment that must be refused, and the whole message.
struct Refused: CustomTestStringConvertible, Sendable {
  let yaml: String
  var flags = ConfigOverrides()
  let message: String

  var testDescription: String {
    let flags = flags.set + flags.axes.map(\.origin)
    return String(yaml.prefix(60)) + flags.map { " [\($0)]" }.joined()
  }

  init(_ yaml: String, _ message: String) {
    self.yaml = yaml
    self.message = message
  }

  init(_ flags: ConfigOverrides, to yaml: String = "epochs: 7", _ message: String) {
    self.yaml = yaml
    self.flags = flags
    self.message = message
  }

  func found() -> String {
    do throws(ConfigError) {
      _ = try ExperimentConfig.parse(yaml: yaml, file: "a.yaml", overrides: flags)
      return "accepted"
    } catch {
      return error.description
    }
  }
}

private let topKeys =
  "an experiment has dataset, model, optimizer, schedule, excitation, batch_size, "
  + "micro_batch, clip_norm, epochs, max_steps, order, seeds, sweep, extends"
private let modelKeys =
  "model has name, hidden_layers, width, sparsity, k, initialization, normalization"
private let transformerNames =
  "name, layers, d, heads, experts, k, hidden, patch, balance_weight, z_weight"
private let transformerKeys = "model has \(transformerNames)"
private let optimizerKeys =
  "optimizer has name, lr, weight_decay, momentum, dampening, nesterov, beta1, beta2, alpha, "
  + "lr_decay, initial_accumulator, epsilon"
private let optimizers = "known: sgd, momentum, adam, adamw, rmsprop, adagrad"
private let variants =
  "known: vanilla, zero-sum, positive-sum, exp-diff, global-exp, random-boost, inverted"

@Suite struct ConfigErrorTests {
  @Test(arguments: [
    Refused(
      "model: {hiden_layers: 3}",
      "a.yaml:1:9: model.hiden_layers: unknown key; \(modelKeys); did you mean hidden_layers?"),
    Refused(
      "model: {hiddenLayers: 3}",
      "a.yaml:1:9: model.hiddenLayers: unknown key; \(modelKeys); did you mean hidden_layers?"),
    Refused(
      "model: {layers: 3}",
      "a.yaml:1:17: model.layers: unknown key; topk_mlp has name, hidden_layers, width, sparsity, k, "
        + "initialization, normalization; did you mean hidden_layers?"),
    Refused(
      "optimizer: {learning_rate: 3}",
      "a.yaml:1:13: optimizer.learning_rate: unknown key; \(optimizerKeys); did you mean lr?"),
    Refused(
      "model: {name: moe_vit, zzz: 3}", "a.yaml:1:24: model.zzz: unknown key; \(transformerKeys)"),
    Refused(
      "model: {width: 3, name: moe_vit}",
      "a.yaml:1:16: model.width: unknown key; moe_vit has \(transformerNames)"),
    Refused(
      "model: {experts: 3}",
      "a.yaml:1:18: model.experts: unknown key; topk_mlp has name, hidden_layers, width, sparsity, "
        + "k, initialization, normalization"),
    Refused(
      "model: moe_vit\nsweep: {model.width: [8, 16]}",
      "a.yaml:2:23: model.width: unknown key; moe_vit has \(transformerNames)\n"
        + "a.yaml:2:26: model.width: unknown key; moe_vit has \(transformerNames)"),
    Refused(
      "model: {name: moe_vit, balance_weight: -1, z_weight: .inf}",
      "a.yaml:1:40: model.balance_weight: -1 is not allowed; give a finite number, 0 or more\n"
        + "a.yaml:1:54: model.z_weight: .inf is not allowed; give a finite number, 0 or more"),
    Refused(
      "model:\n  width: 64\n  zzz: 3\n", "a.yaml:3:3: model.zzz: unknown key; \(modelKeys)"),
    Refused("modle: {width: 3}", "a.yaml:1:1: modle: unknown key; \(topKeys); did you mean model?"),
    Refused("lr: 0.1", "a.yaml:1:1: lr: unknown key; \(topKeys); did you mean optimizer.lr?"),
    Refused(
      "excitation: {variant: zero-sum}",
      "a.yaml:1:14: excitation.variant: unknown key; excitation has variants, gamma, epsilon, "
        + "window; did you mean variants?"),
    Refused(
      "optimizer: {name: sgd, beta1: 0.9}",
      "a.yaml:1:24: optimizer.beta1: sgd has no beta1, which belongs to adam, adamw; "
        + "sgd has name, lr, weight_decay"),
    Refused(
      "optimizer: {name: momentum, alpha: 0.9}",
      "a.yaml:1:29: optimizer.alpha: momentum has no alpha, which belongs to rmsprop; momentum "
        + "has name, lr, weight_decay, momentum, dampening, nesterov"),
    Refused(
      "sweep: {lr: [0.1]}",
      "a.yaml:1:9: sweep.lr: unknown key; a sweep has dataset.…, model.…, optimizer.…, "
        + "schedule.…, excitation.…, batch_size, micro_batch, clip_norm, epochs, max_steps, order; "
        + "did you mean optimizer.lr?"),
    Refused(
      "sweep:\n  optimizer.lrr: [0.1]\n",
      "a.yaml:2:3: sweep.optimizer.lrr: unknown key; \(optimizerKeys); did you mean lr?"),
  ])
  func unknownKeys(_ refused: Refused) {
    #expect(refused.found() == refused.message)
  }

  @Test(arguments: [
    Refused(
      "epochs: abc",
      "a.yaml:1:9: epochs: expected a whole number from 1 to 1000000, found the text \"abc\""),
    Refused(
      "epochs: 2.5",
      "a.yaml:1:9: epochs: expected a whole number from 1 to 1000000, found the number 2.5"),
    Refused(
      "epochs: true",
      "a.yaml:1:9: epochs: expected a whole number from 1 to 1000000, found the text \"true\""),
    Refused(
      "epochs: [1]", "a.yaml:1:9: epochs: expected a whole number from 1 to 1000000, found a list"),
    Refused(
      "epochs: {a: 1}",
      "a.yaml:1:9: epochs: expected a whole number from 1 to 1000000, found a map"),
    Refused(
      "epochs:", "a.yaml:1:8: epochs: expected a whole number from 1 to 1000000, found nothing"),
    // YAML 1.1 reads these as 8 and 90.
    Refused(
      "epochs: 010",
      "a.yaml:1:9: epochs: expected a whole number from 1 to 1000000, found the text \"010\""),
    Refused(
      "epochs: 1:30",
      "a.yaml:1:9: epochs: expected a whole number from 1 to 1000000, found the text \"1:30\""),
    Refused(
      "epochs: \"\\e[31m\"",
      "a.yaml:1:9: epochs: expected a whole number from 1 to 1000000, found the text "
        + "\"\\u{1b}[31m\" in quotes"),
    Refused(
      "optimizer: {lr: \"0.1\"}",
      "a.yaml:1:17: optimizer.lr: expected a finite number above 0, "
        + "found the text \"0.1\" in quotes"),
    Refused(
      "optimizer: {name: momentum, nesterov: yes}",
      "a.yaml:1:39: optimizer.nesterov: expected true or false, found the text \"yes\""),
    Refused(
      "dataset: {augmentation: off}",
      "a.yaml:1:25: dataset.augmentation: unknown name \"off\"; known: none, flip, crop, "
        + "flip+crop; did you mean none?"),
    Refused(
      "optimizer: {name: adm}",
      "a.yaml:1:19: optimizer.name: unknown name \"adm\"; \(optimizers); did you mean adam?"),
    Refused(
      "optimizer: {name: sdg}",
      "a.yaml:1:19: optimizer.name: unknown name \"sdg\"; \(optimizers); did you mean sgd?"),
    Refused("optimizer: 3", "a.yaml:1:12: optimizer.name: unknown name \"3\"; \(optimizers)"),
    Refused(
      "optimizer: [sgd, null]",
      "a.yaml:1:18: optimizer: expected an optimizer's name or a map, found nothing"),
    Refused(
      "model: {name: moe_vti}",
      "a.yaml:1:15: model.name: unknown name \"moe_vti\"; known: topk_mlp, moe_vit, "
        + "gpt_moe; did you mean "
        + "moe_vit?"
    ),
    Refused("model: []", "a.yaml:1:8: model: expected a map of keys, found a list"),
    Refused(
      "excitation: zero-sum",
      "a.yaml:1:13: excitation: expected a map of keys, found the text \"zero-sum\""),
    Refused(
      "excitation: {variants: vanilla}",
      "a.yaml:1:24: excitation.variants: expected a list of variants such as [vanilla, zero-sum], "
        + "found the text \"vanilla\""),
    Refused(
      "seeds: 3",
      "a.yaml:1:8: seeds: expected a list of seeds such as [0, 1, 2], found the number 3"),
    Refused(
      "seeds: [0, x]",
      "a.yaml:1:12: seeds: expected a whole number, 0 or more, found the text \"x\""),
    Refused(
      "sweep: [1]",
      "a.yaml:1:8: sweep: expected a map such as {optimizer.lr: [0.1, 0.2]}, found a list"),
    Refused(
      "sweep: {optimizer.lr: 0.1}",
      "a.yaml:1:23: sweep.optimizer.lr: expected a list of values, found the number 0.1"),
    Refused(
      "sweep: {batch_size: [8, 16], exclude: {batch_size: 8}}",
      "a.yaml:1:39: sweep.exclude: expected a list of maps such as "
        + "[{model.experts: 4, model.k: [4, 8]}], found a map"),
    Refused(
      "sweep: {batch_size: [8, 16], exclude: [8]}",
      "a.yaml:1:40: sweep.exclude: expected a list of maps such as "
        + "[{model.experts: 4, model.k: [4, 8]}], found the number 8"),
    Refused(
      "sweep: {batch_size: [8, 16], exclude: [{}]}",
      "a.yaml:1:40: sweep.exclude: the list is empty; give keys with the values to leave out"),
    Refused(
      "sweep: {batch_size: [8, 16], exclude: [{batch_size: []}]}",
      "a.yaml:1:53: sweep.exclude.batch_size: the list is empty; give the values to leave out"),
    Refused(
      "sweep: {batch_size: [8, 16], exclude: [{batch_size: x}]}",
      "a.yaml:1:53: batch_size: expected a whole number from 1 to 1000000000, found the text \"x\""),
    Refused(
      "sweep: {batch_size: [8, 16], exclude: [{model.widht: 8}]}",
      "a.yaml:1:41: sweep.exclude.model.widht: unknown key; model has name, hidden_layers, width, "
        + "sparsity, layers, d, heads, experts, k, hidden, patch, context, balance_weight, z_weight, "
        + "initialization, normalization; did you mean width?"),
    Refused(
      "sweep: {batch_size: [8, 16], exclude: [{seeds: 1}]}",
      "a.yaml:1:41: sweep.exclude.seeds: says nothing of a setting: every setting has all of it"),
    Refused(
      "sweep: {batch_size: [8, 16], exclude: [{batch_size: [8, 16.0]}]}",
      "a.yaml:1:40: sweep.exclude: leaves out all 2 settings of the grid"),
    Refused(
      "sweep: {exclude: [{batch_size: 512}]}",
      "a.yaml:1:19: sweep.exclude: leaves out the only setting"),
    Refused(
      "sweep: {batch_size: [1, x]}",
      "a.yaml:1:25: batch_size: expected a whole number from 1 to 1000000000, found the text \"x\""
    ),
  ])
  func wrongTypes(_ refused: Refused) {
    #expect(refused.found() == refused.message)
  }

  @Test(arguments: [
    Refused(
      "epochs: 0", "a.yaml:1:9: epochs: 0 is not allowed; give a whole number from 1 to 1000000"),
    Refused(
      "epochs: 1e30",
      "a.yaml:1:9: epochs: 1e30 is not allowed; give a whole number from 1 to 1000000"),
    Refused(
      "epochs: 1e999",
      "a.yaml:1:9: epochs: expected a whole number from 1 to 1000000, found the number 1e999"),
    Refused(
      "batch_size: -1",
      "a.yaml:1:13: batch_size: -1 is not allowed; give a whole number from 1 to 1000000000"),
    Refused(
      "optimizer: {lr: 0}",
      "a.yaml:1:17: optimizer.lr: 0 is not allowed; give a finite number above 0"),
    Refused(
      "optimizer: {lr: .nan}",
      "a.yaml:1:17: optimizer.lr: .nan is not allowed; give a finite number above 0"),
    Refused(
      "optimizer: {lr: 1e999}",
      "a.yaml:1:17: optimizer.lr: 1e999 is not allowed; give a finite number above 0"),
    Refused(
      "optimizer: {weight_decay: -0.1}",
      "a.yaml:1:27: optimizer.weight_decay: -0.1 is not allowed; give a finite number, 0 or more"),
    Refused(
      "optimizer: {name: momentum, momentum: 1}",
      "a.yaml:1:39: optimizer.momentum: 1 is not allowed; give a number from 0 to below 1"),
    Refused(
      "optimizer: {name: adam, beta2: 1.5}",
      "a.yaml:1:32: optimizer.beta2: 1.5 is not allowed; give a number from 0 to below 1"),
    Refused(
      "model: {sparsity: 1}",
      "a.yaml:1:19: model.sparsity: 1 is not allowed; give a number from 0 to below 1"),
    Refused(
      "model: {k: 0}",
      "a.yaml:1:12: model.k: 0 is not allowed; give a whole number from 1 to 65536"),
    Refused(
      "excitation: {gamma: .inf}",
      "a.yaml:1:21: excitation.gamma: .inf is not allowed; give a finite number"),
    Refused(
      "seeds: [-1]", "a.yaml:1:9: seeds: -1 is not allowed; give a whole number, 0 or more"),
    Refused(
      "seeds: []",
      "a.yaml:1:8: seeds: the list is empty; give a list of seeds such as [0, 1, 2]"),
    Refused(
      "seeds:", "a.yaml:1:7: seeds: the list is empty; give a list of seeds such as [0, 1, 2]"),
    Refused("seeds: [0, 0]", "a.yaml:1:12: seeds: 0 is given twice; keep one"),
    Refused(
      "excitation: {variants: []}",
      "a.yaml:1:24: excitation.variants: the list is empty; give a list of variants such as "
        + "[vanilla, zero-sum]"),
    Refused(
      "excitation: {variants: [vanilla, vanilla]}",
      "a.yaml:1:34: excitation.variants: vanilla is given twice; keep one"),
    Refused(
      "excitation: {variants: [vanila]}",
      "a.yaml:1:25: excitation.variants: unknown name \"vanila\"; \(variants); "
        + "did you mean vanilla?"),
    Refused(
      "excitation: {gamma: [1, 1.0]}",
      "a.yaml:1:25: excitation.gamma: 1.0 is given twice; keep one"),
    Refused("optimizer: []", "a.yaml:1:12: optimizer: the list is empty; give values to try"),
    Refused(
      "optimizer: [sgd, sgd]",
      "a.yaml:1:18: optimizer: {name: sgd, lr: 0.01, weight_decay: 0} is given twice; keep one"),
    Refused(
      "sweep: {optimizer.lr: []}",
      "a.yaml:1:23: sweep.optimizer.lr: the list is empty; give the values to try"),
    Refused(
      "sweep: {optimizer.lr: [0.1, 0.10]}",
      "a.yaml:1:29: optimizer.lr: 0.1 is given twice; keep one"),
  ])
  func valuesOutOfRange(_ refused: Refused) {
    #expect(refused.found() == refused.message)
  }

  @Test(arguments: [
    Refused(
      "model: {k: 200}",
      "a.yaml:1:12: model.k: 200 winners of 128 neurons; k must be from 1 to width"
    ),
    Refused(
      "model: {width: 8}\nsweep: {model.k: [4, 9]}",
      "a.yaml:2:22: model.k: 9 winners of 8 neurons; k must be from 1 to width"),
    Refused(
      "model: {name: moe_vit, experts: 4, k: 5}",
      "a.yaml:1:39: model.k: 5 picked of 4 experts; k must be from 1 to experts"),
    Refused(
      "model: {name: moe_vit, experts: 1}",
      "a.yaml:1:33: model.experts: 2 picked of 1 experts; k must be from 1 to experts"),
    Refused(
      "model:\n  name: moe_vit\n  d: 100\n  heads: 3\n",
      "a.yaml:4:10: model.heads: 3 heads do not divide a width d of 100 evenly"),
    Refused(
      "model: {name: moe_vit, patch: 5}",
      "a.yaml:1:31: model.patch: patches of 5 do not divide an image's side of 32 pixels evenly; "
        + "give 1, 2, 4, 8, 16 or 32"),
    Refused(
      "model: {name: moe_vit, layers: 1000, d: 1000000, hidden: 1000000, experts: 1000000}",
      "a.yaml:1:76: model.experts: 1000 layers of 1000000 experts, 1000000 by 1000000, are more "
        + "weights than a computer can address"),
    Refused(
      "epochs: 3\nschedule: {warmup: 5}",
      "a.yaml:2:20: schedule.warmup: a warm-up of 5 epochs in a run of 3"),
    Refused(
      "optimizer: {name: momentum, nesterov: true, dampening: 0.1}",
      "a.yaml:1:39: optimizer.nesterov: needs a momentum above 0 and a dampening of 0, "
        + "as in PyTorch"),
    Refused(
      "dataset: {labels: coarse}",
      "a.yaml:1:19: dataset.labels: coarse labels belong to cifar100; cifar10 has only fine"),
    Refused(
      "dataset: {limit: 100}",
      "a.yaml:1:18: dataset.limit: a batch of 512 is more than the 100 training records that "
        + "dataset.limit leaves; give a batch_size of 100 or less"),
    Refused(
      "dataset: {limit: 100}\nbatch_size: 101",
      "a.yaml:2:13: batch_size: a batch of 101 is more than the 100 training records that "
        + "dataset.limit leaves; give a batch_size of 100 or less"),
    Refused(
      "model: {k: 3}\nsweep: {model.sparsity: [0.1, 0.2]}",
      "a.yaml:1:12: model.k: fixes the winners, so sweeping model.sparsity changes nothing; "
        + "drop one"),
    Refused(
      "optimizer: [sgd, adam]\nsweep: {optimizer: [sgd]}",
      "a.yaml:2:9: sweep.optimizer: `optimizer` is a list already; keep one of the two"),
    Refused(
      "sweep: {optimizer.beta1: [0.1, 0.2]}",
      "a.yaml:1:9: optimizer.beta1: sgd has no beta1, which belongs to adam, adamw; "
        + "sgd has name, lr, weight_decay"),
    Refused(
      "sweep: {seeds: [0]}",
      "a.yaml:1:9: sweep.seeds: is no axis: every setting runs all of `seeds`"),
    Refused(
      "sweep: {excitation.epsilon: [0.1]}",
      "a.yaml:1:9: sweep.excitation.epsilon: cannot be swept: it changes the variant inverted "
        + "alone"),
  ])
  func valuesThatDoNotFit(_ refused: Refused) {
    #expect(refused.found() == refused.message)
  }

  @Test(arguments: [
    Refused(
      "epochs: 1\nbatch_size: 2\nepochs: 3\n",
      "a.yaml:3:1: epochs: given twice, first on line 1; keep one"),
    Refused(
      "model: {width: 3, sparsity: 0.5, width: 4}",
      "a.yaml:1:34: width: given twice, first on line 1; keep one"),
    // "lr" also stands in another section, in a comment and within lr_decay.
    Refused(
      "sweep: {optimizer: {lr: [1]}}\noptimizer:\n  lr: 1\n  name: sgd # lr: 5\n"
        + "  lr_decay: 1\n  lr: 2\n",
      "a.yaml:6:3: lr: given twice, first on line 3; keep one"),
    Refused(
      "epochs: 1\n\"epochs\": 2\n", "a.yaml:2:2: epochs: given twice, first on line 1; keep one"),
    Refused(
      "epochs: 1\nmodel:\n\twidth: 3",
      "a.yaml:3:1: a tab indents this line; YAML allows only spaces"),
    Refused(
      "epochs: 1\r\nmodel:\r\n\twidth: 3\r\n",
      "a.yaml:3:1: a tab indents this line; YAML allows only spaces"),
    Refused(
      "model:\n  width: 3\n  \tk: 2",
      "a.yaml:3:3: a tab indents this line; YAML allows only spaces"),
    Refused(
      "model: {width: 3",
      "a.yaml:1:8: not YAML: did not find expected ',' or '}' while parsing a flow mapping"),
    Refused(
      "epochs: 'abc",
      "a.yaml:1:9: not YAML: found unexpected end of stream while scanning a quoted scalar"),
    Refused("epochs: @x", "a.yaml:1:9: not YAML: found character that cannot start any token"),
    Refused("epochs: *x", "a.yaml:1:9: not YAML: found undefined alias"),
    Refused("epochs: \u{0}", "a.yaml:1:9: not YAML: control characters are not allowed"),
    Refused("a: 1\n? [a, b]\n: 1", "a.yaml:2:3: a key must be a word, not a list or a map"),
    Refused(
      "---\nepochs: 1\n---\nepochs: 2\n",
      "a.yaml:3:1: a second YAML document starts here; an experiment is one document"),
    Refused("", "a.yaml: is empty; an experiment has keys such as dataset, model and optimizer"),
    Refused(
      "# nothing\n",
      "a.yaml: is empty; an experiment has keys such as dataset, model and optimizer"),
    Refused(
      "- 1\n- 2",
      "a.yaml:1:1: expected a map of dataset, model, optimizer, schedule, excitation, "
        + "batch_size, micro_batch, clip_norm, epochs, max_steps, order, seeds, sweep, extends, "
        + "found a list"),
    Refused(
      "hello",
      "a.yaml:1:1: expected a map of dataset, model, optimizer, schedule, excitation, "
        + "batch_size, micro_batch, clip_norm, epochs, max_steps, order, seeds, sweep, extends, "
        + "found the text \"hello\""),
    Refused(
      String(repeating: "[", count: 100_000), "a.yaml:1:1: nested over 1000 levels deep"),
    Refused(
      String(repeating: "{a: ", count: 30_000), "a.yaml:1:1: nested over 1000 levels deep"),
    // `model: ` takes 7 columns, then the root is level 0 and bracket n level n.
    Refused(
      "model: " + String(repeating: "[", count: 100) + String(repeating: "]", count: 100),
      "a.yaml:1:40: nested over 32 levels deep"),
  ])
  func brokenYAML(_ refused: Refused) {
    #expect(refused.found() == refused.message)
  }

  /// A short text of nested aliases that stands for 9⁹ values is refused, as a value and as a key.
  @Test func aliasBombs() {
    var bomb = "k0: &a0 [" + Array(repeating: "x", count: 9).joined(separator: ",") + "]\n"
    for i in 1...8 {
      let items = Array(repeating: "*a\(i - 1)", count: 9).joined(separator: ",")
      bomb += "k\(i): &a\(i) [\(items)]\n"
    }
    // 9 aliases a line from line 2 on: the 21st is the third of line 4.
    let tooMany = "a.yaml:4:18: over 20 aliases; write the values out"
    #expect(Refused(bomb, "").found() == tooMany)
    #expect(Refused(bomb + "? *a8\n: 1\n", "").found() == tooMany)

    // The last line alone stands for 3⁶·50 = 36,450 values, by 18 aliases.
    bomb = "k0: &a0 [" + Array(repeating: "x", count: 50).joined(separator: ",") + "]\n"
    for i in 1...6 { bomb += "k\(i): &a\(i) [*a\(i - 1), *a\(i - 1), *a\(i - 1)]\n" }
    let found = Refused(bomb, "").found()
    // The place is that of the value repeated, in line 1.
    #expect(found.hasPrefix("a.yaml:1:"))
    #expect(found.hasSuffix(": over 4000 values, counting aliases as often as used"))
  }

  /// A long file costs no more than its reading: neither many values nor many equal words do.
  @Test func longFiles() {
    // The list is the first value, its items the next ones: item 3,999 is the 4,001st.
    let seeds = "seeds: [" + (0..<5000).map(String.init).joined(separator: ",") + "]"
    #expect(
      Refused(seeds, "").found().hasSuffix(": over 4000 values, counting aliases as often as used"))
    // The key's name stands on every line; only as a key does it matter.
    let comments = String(repeating: "# epochs are epochs\n", count: 3000)
    #expect(
      Refused("epochs: 1\n\(comments)epochs: 2\n", "").found()
        == "a.yaml:3002:1: epochs: given twice, first on line 1; keep one")
    // Where it is a key too often to look at each, the first place is told.
    let keys = (0..<100).map { "k\($0): {epochs: 1}\n" }.joined()
    #expect(
      Refused("epochs: 1\n\(keys)epochs: 2\n", "").found()
        == "a.yaml:1:1: epochs: given twice, first on line 1; keep one")
  }

  @Test func allThatIsWrongIsSaidAtOnceInTheOrderOfTheFile() {
    let refused = Refused(
      ConfigOverrides(set: ["batch_size=x"]),
      to: "epochz: 3\nmodel: {width: 0}\nexcitation: {variants: [zero]}\nseeds: [0, 0]\n",
      """
      a.yaml:1:1: epochz: unknown key; \(topKeys); did you mean epochs?
      a.yaml:2:16: model.width: 0 is not allowed; give a whole number from 1 to 65536
      a.yaml:3:25: excitation.variants: unknown name "zero"; \(variants); did you mean zero-sum?
      a.yaml:4:12: seeds: 0 is given twice; keep one
      --set batch_size=x: expected a whole number from 1 to 1000000000, found the text "x"
      """)
    #expect(refused.found() == refused.message)
  }

  @Test func columnsCountScalarsAndLinesMayEndInCRLF() {
    let refused = Refused(
      "dataset: {name: \"é\", limit: x}\r\nepochs: 0\r\n",
      """
      a.yaml:1:17: dataset.name: unknown name "é"; known: cifar10, cifar100, svhn, synthetic, \
      wikitext2, wikitext103, synthetic-text, files
      a.yaml:1:29: dataset.limit: expected a whole number from 1 to 1000000000, found the text "x"
      a.yaml:2:9: epochs: 0 is not allowed; give a whole number from 1 to 1000000
      """)
    #expect(refused.found() == refused.message)
  }

  // MARK: Files

  @Test func unreadableFiles() throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("excite-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    func write(_ name: String, _ bytes: [UInt8]) throws -> String {
      let file = folder.appendingPathComponent(name)
      try Data(bytes).write(to: file)
      return file.path
    }
    func message(_ path: String) -> String {
      do throws(ConfigError) {
        return try ExperimentConfig.load(path: path).name
      } catch {
        return error.description
      }
    }

    let good = try write("cifar10_topk.yaml", Array("epochs: 1".utf8))
    #expect(message(good) == "cifar10_topk")
    let mistyped = folder.appendingPathComponent("cifar10_tpk.yaml").path
    #expect(message(mistyped) == "\(mistyped): no such file; did you mean \(good)?")
    let missing = folder.appendingPathComponent("x/y.yaml").path
    #expect(message(missing) == "\(missing): no such file")
    #expect(message(folder.path) == "\(folder.path): this is a directory; give a YAML file")
    let binary = try write("binary.yaml", Array("a: 1\nb: ".utf8) + [0xFF, 0xFE])
    #expect(message(binary) == "\(binary): is not UTF-8 text (line 2); save it as UTF-8")
    let marked = try write("marked.yaml", [0xEF, 0xBB, 0xBF] + Array("epochs: 1".utf8))
    #expect(message(marked) == "marked")
    let endless = try write("endless.yaml", Array(repeating: UInt8(ascii: "#"), count: 200_000))
    #expect(message(endless) == "\(endless): is over 128 KiB long; an experiment is a short text")
  }

  // MARK: Flags

  @Test(arguments: [
    Refused(
      ConfigOverrides(set: ["model.hiden_layers=3"]),
      "--set model.hiden_layers=3: unknown key; model has name, hidden_layers, width, sparsity, "
        + "layers, d, heads, experts, k, hidden, patch, context, balance_weight, z_weight, "
        + "initialization, normalization; did you mean hidden_layers?"),
    Refused(
      ConfigOverrides(set: ["modle.width=3"]),
      "--set modle.width=3: unknown key; an experiment has dataset.…, model.…, optimizer.…, "
        + "schedule.…, excitation.…, batch_size, micro_batch, clip_norm, epochs, max_steps, "
        + "order, seeds; "
        + "did you mean model.width?"),
    Refused(
      ConfigOverrides(set: ["optimizer={name: adam, bta1: 0.3}"]),
      "--set optimizer={name: adam, bta1: 0.3}: optimizer.bta1: unknown key; \(optimizerKeys); "
        + "did you mean beta1?"),
    Refused(
      ConfigOverrides(set: ["optimizer.lr=abc"]),
      "--set optimizer.lr=abc: expected a finite number above 0, found the text \"abc\""),
    Refused(
      ConfigOverrides(set: ["model.width="]),
      "--set model.width=: expected a whole number from 1 to 65536, found nothing"),
    Refused(
      ConfigOverrides(set: ["batch_size=0"]),
      "--set batch_size=0: 0 is not allowed; give a whole number from 1 to 1000000000"),
    Refused(
      ConfigOverrides(set: ["model.k=500"]),
      "--set model.k=500: 500 winners of 128 neurons; k must be from 1 to width"),
    Refused(
      ConfigOverrides(set: ["optimizer.beta1=0.5"]),
      "--set optimizer.beta1=0.5: sgd has no beta1, which belongs to adam, adamw; "
        + "sgd has name, lr, weight_decay"),
    Refused(
      ConfigOverrides(set: ["width"]),
      "--set width: expected key.path=value, for example optimizer.lr=0.1"),
    Refused(
      ConfigOverrides(set: ["optimizer.lr=[1"]),
      "--set optimizer.lr=[1: not YAML: did not find expected ',' or ']' "
        + "while parsing a flow sequence"),
    Refused(
      ConfigOverrides(set: ["model.width=1\nepochs: 3"]),
      "--set model.width=1\\nepochs: 3: not YAML: mapping values are not allowed in this context"),
    Refused(
      ConfigOverrides(set: ["sweep.optimizer.lr=3"]),
      "--set sweep.optimizer.lr=3: cannot be set; "
        + "`excite sweep` takes key.path=a,b,c"),
    Refused(ConfigOverrides(seeds: "0,0"), "--seeds 0,0: 0 is given twice; keep one"),
    Refused(
      ConfigOverrides(seeds: "4-1"),
      "--seeds 4-1: expected seeds such as 0,1,2 or 0-4, the lower end first, at most 10,000, "
        + "found the text \"4-1\""
    ),
    Refused(
      ConfigOverrides(seeds: ""),
      "--seeds : the list is empty; give a list of seeds such as [0, 1, 2]"),
    Refused(
      ConfigOverrides(variants: "vanilla,zerosum"),
      "--variants vanilla,zerosum: unknown name \"zerosum\"; \(variants); did you mean zero-sum?"),
    Refused(
      ConfigOverrides(maxSteps: "x"),
      "--max-steps x: expected a whole number from 1 to 1000000000, found the text \"x\""),
    Refused(
      ConfigOverrides(order: "rand"),
      "--order rand: unknown name \"rand\"; known: shuffled, sequential"),
    Refused(
      ConfigOverrides(axes: [SweepAxis(.hiddenLayers, list: "1,0")]),
      "--hidden-layers 1,0: 0 is not allowed; give a whole number from 1 to 1000"),
    Refused(
      ConfigOverrides(axes: [SweepAxis(.optimizer, list: "sgd,adma")]),
      "--optimizer sgd,adma: unknown name \"adma\"; \(optimizers); did you mean adam?"),
    Refused(
      ConfigOverrides(set: ["optimizer.lr=3"], axes: [SweepAxis(.lr)]),
      "--set optimizer.lr=3: --lr gives this key too"),
    Refused(
      ConfigOverrides(
        set: ["optimizer.momentum=0.5"], axes: [SweepAxis(.optimizer, list: "sgd,adam")]),
      "--set optimizer.momentum=0.5: sgd has no momentum, which belongs to momentum; "
        + "sgd has name, lr, weight_decay"),
    Refused(
      ConfigOverrides(axes: [
        SweepAxis(keyPath: "model.width", values: [], origin: "--set model.width")
      ]),
      "--set model.width: model.width: the paper has no grid of this; name values"),
  ])
  func flags(_ refused: Refused) {
    #expect(refused.found() == refused.message)
  }

  // MARK: Data

  @Test func batchLargerThanTheData() throws {
    let experiment = try ExperimentConfig.parse(
      yaml: "dataset: synthetic\nsweep: {batch_size: [64, 512]}", file: "a.yaml")
    let small = try #require(experiment.runs.first)
    let large = try #require(experiment.runs.last)
    try experiment.validate(run: small, trainCount: 64)
    try experiment.validate(run: large, trainCount: 512)
    let error = #expect(throws: ConfigError.self) {
      try experiment.validate(run: large, trainCount: 511)
    }
    #expect(
      error?.description
        == "a.yaml:2:26: batch_size: a batch of 512 is more than the 511 training records that "
        + "synthetic has; give a batch_size of 511 or less")
  }
}
