extension DatasetName {
  /// Records of the official splits, known without reading a file.
  public var recordCounts: (train: Int, test: Int) {
    switch self {
    case .cifar10, .cifar100: (50_000, 10_000)
    case .svhn: (73_257, 26_032)
    case .synthetic: (SyntheticImages.trainCount, SyntheticImages.testCount)
    }
  }
}
