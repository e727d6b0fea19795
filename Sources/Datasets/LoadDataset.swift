import Foundation

/// Reads a set's two splits, or draws them where the set is `synthetic`.
///
/// - Parameters:
///   - config: `limit` and `testLimit` keep the first so many records, and files that then hold
///     nothing that is asked for are not opened.
///   - directory: the data directory; nil means `DataDirectory.resolve` without a flag. `synthetic`
///     needs none.
/// - Throws: `.missing` with the command that fetches the set; `.empty`, `.truncated`, `.oversized`,
///   `.labelOutOfRange`, `.corruptMAT`, `.directoryInPlaceOfFile`, `.unreadable`;
///   `.limitNotPositive`, `.coarseLabelsOnlyInCIFAR100`.
public func loadDataset(
  _ config: DatasetConfig, directory: URL?
) throws(DatasetError) -> ImageDataset {
  for (key, limit) in [("limit", config.limit), ("test_limit", config.testLimit)] {
    if let limit, limit < 1 { throw .limitNotPositive(key: key, value: limit) }
  }
  if config.labels == .coarse, config.name != .cifar100 {
    throw .coarseLabelsOnlyInCIFAR100(set: config.name)
  }
  let directory =
    directory
    ?? DataDirectory.resolve(flag: nil, environment: ProcessInfo.processInfo.environment)
  switch config.name {
  case .synthetic:
    return SyntheticImages.dataset(
      trainCount: config.limit ?? SyntheticImages.trainCount,
      testCount: config.testLimit ?? SyntheticImages.testCount)
  case .cifar10:
    return try loadCIFAR(
      .cifar10, directory: directory, limit: config.limit, testLimit: config.testLimit)
  case .cifar100:
    return try loadCIFAR(
      .cifar100(labels: config.labels), directory: directory, limit: config.limit,
      testLimit: config.testLimit)
  case .svhn:
    let train = try readSVHN("svhn/train_32x32.mat", directory: directory, limit: config.limit)
    let test = try readSVHN("svhn/test_32x32.mat", directory: directory, limit: config.testLimit)
    return ImageDataset(name: .svhn, classes: svhnClasses, train: train, test: test)
  }
}

/// Opens `file` under `directory`.
///
/// - Throws: `.missing` where it is not there, and what `InputFile` throws.
func openDataFile(
  _ file: String, of set: DataName, directory: URL
) throws(DatasetError) -> InputFile {
  let path = directory.appendingPathComponent(file, isDirectory: false).path
  if let input = try InputFile.openIfPresent(path) { return input }
  throw .missing(
    set: set, file: file, directory: directory.path,
    fetchCommand: DataDirectory.fetchCommand(
      set, directory: directory, environment: ProcessInfo.processInfo.environment))
}
