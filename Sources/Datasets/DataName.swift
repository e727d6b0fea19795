/// What `excite data` lists and fetches.
public enum DataName: String, CaseIterable, Hashable, Sendable {
  case cifar10, cifar100, svhn, synthetic
  case wikitext2, wikitext103
  /// The vocabulary of GPT-2's tokenizer.
  case gpt2
}

extension DatasetName {
  public var data: DataName {
    switch self {
    case .cifar10: .cifar10
    case .cifar100: .cifar100
    case .svhn: .svhn
    case .synthetic: .synthetic
    }
  }
}
