/// One file of a set, as its readers look for it.
public struct DataFile: Hashable, Sendable {
  /// Inside the data directory.
  public let path: String
  /// Of the official file; nil where it is not documented.
  public let bytes: Int?
  /// Of the official file, lower-case hexadecimal; nil where it is not documented.
  public let sha256: String?

  public init(path: String, bytes: Int?, sha256: String? = nil) {
    self.path = path
    self.bytes = bytes
    self.sha256 = sha256
  }

  /// Whether a file of that length may be it; nil means that there is none.
  func fits(_ size: Int?) -> Bool {
    guard let size else { return false }
    return bytes.map { $0 == size } ?? (size > 0)
  }
}

/// One download: where from, how it is recognized and what becomes of it.
public struct DataArchive: Hashable, Sendable {
  public enum Content: Hashable, Sendable {
    /// A tar.gz whose entries all lie in this folder.
    case tarGzip(folder: String)
    /// A zip file whose entries all lie in this folder.
    case zip(folder: String)
    /// The data file itself, to be kept at this path.
    case file(path: String)
  }

  public let fileName: String
  /// In the order they are tried.
  public let sources: [String]
  public let bytes: Int
  /// Lower-case hexadecimal; of the two checksums, those that are documented.
  public let md5: String?
  public let sha256: String?
  public let content: Content

  public init(
    fileName: String, sources: [String], bytes: Int, md5: String? = nil, sha256: String? = nil,
    content: Content
  ) {
    self.fileName = fileName
    self.sources = sources
    self.bytes = bytes
    self.md5 = md5
    self.sha256 = sha256
    self.content = content
  }

  /// What tells a file from this one, of the same length or not; nil where nothing does.
  func wrongChecksum(_ found: FileChecksums) -> SourceFailure.Reason? {
    if let md5, found.md5 != md5 {
      return .checksum(algorithm: "MD5", expected: md5, found: found.md5)
    }
    if let sha256, found.sha256 != sha256 {
      return .checksum(algorithm: "SHA-256", expected: sha256, found: found.sha256)
    }
    return nil
  }
}

/// A set that `excite data` knows.
public struct DataEntry: Hashable, Sendable {
  public let name: DataName
  /// What is in it, in one line.
  public let summary: String
  /// None where the set is drawn and not downloaded.
  public let archives: [DataArchive]
  public let files: [DataFile]
  /// Files that its readers take where those are not there: the set in another form.
  public let otherFiles: [DataFile]

  public init(
    name: DataName, summary: String, archives: [DataArchive], files: [DataFile],
    otherFiles: [DataFile] = []
  ) {
    self.name = name
    self.summary = summary
    self.archives = archives
    self.files = files
    self.otherFiles = otherFiles
  }

  public var downloadBytes: Int { archives.reduce(0) { $0 + $1.bytes } }
}

/// Where the sets come from.
///
/// Of the image sets, lengths and SHA-256 of the archives: TensorFlow Datasets' `url_checksums`; MD5: torchvision's
/// `datasets/{cifar,svhn}.py`; SHA-256 of CIFAR-10's files: torchvision-ruby's `cifar10.rb`.
public enum DataCatalog {
  public static let entries: [DataEntry] = DataName.allCases.map(entry)

  public static func entry(_ name: DataName) -> DataEntry {
    switch name {
    case .cifar10: cifar10
    case .cifar100: cifar100
    case .svhn: svhn
    case .synthetic: synthetic
    case .wikitext2: wikitext2
    case .wikitext103: wikitext103
    case .gpt2: gpt2
    }
  }

  public static let cifar10 = DataEntry(
    name: .cifar10, summary: "50,000 + 10,000 photographs, 10 classes",
    archives: [
      DataArchive(
        fileName: "cifar-10-binary.tar.gz",
        sources: [
          "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
          swiftModels + "CIFAR10/cifar-10-binary.tar.gz",
          mindSpore + "cifar-10-binary.tar.gz",
        ],
        bytes: 170_052_171, md5: "c32a1d4ab5d03f1284b67883e8d87530",
        sha256: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
        content: .tarGzip(folder: "cifar-10-batches-bin"))
    ],
    files: [
      ("data_batch_1", "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5"),
      ("data_batch_2", "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed"),
      ("data_batch_3", "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67"),
      ("data_batch_4", "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48"),
      ("data_batch_5", "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add"),
      ("test_batch", "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b"),
    ].map {
      DataFile(path: "cifar-10-batches-bin/\($0.0).bin", bytes: 10_000 * 3073, sha256: $0.1)
    })

  public static let cifar100 = DataEntry(
    name: .cifar100, summary: "50,000 + 10,000 photographs, 100 classes in 20 superclasses",
    archives: [
      DataArchive(
        fileName: "cifar-100-binary.tar.gz",
        sources: [
          "https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",
          mindSpore + "cifar-100-binary.tar.gz",
        ],
        bytes: 168_513_733, md5: "03b5dce01913d631647c71ecec9e9cb8",
        sha256: "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
        content: .tarGzip(folder: "cifar-100-binary"))
    ],
    files: [
      DataFile(
        path: "cifar-100-binary/train.bin", bytes: 50_000 * 3074,
        sha256: "f31298fc616915fa142368359df1c4ca2ae984d6915ca468b998a5ec6aeebf29"),
      DataFile(
        path: "cifar-100-binary/test.bin", bytes: 10_000 * 3074,
        sha256: "d8b1e6b7b3bee4020055f0699b111f60b1af1e262aeb93a0b659061746f8224a"),
    ])

  public static let svhn = DataEntry(
    name: .svhn, summary: "73,257 + 26,032 house-number digits, 10 classes",
    archives: [
      svhnFile(
        "train_32x32.mat", bytes: 182_040_794, md5: "e26dedcc434d2e4c54c9b2d4a06d8373",
        sha256: "435e94d69a87fde4fd4d7f3dd208dfc32cb6ae8af2240d066de1df7508d083b8"),
      svhnFile(
        "test_32x32.mat", bytes: 64_275_384, md5: "eb5a983be6a315427106f1b164d9cef3",
        sha256: "cdce80dfb2a2c4c6160906d0bd7c68ec5a99d7ca4831afa54f09182025b6a75b"),
    ],
    files: [
      DataFile(
        path: "svhn/train_32x32.mat", bytes: 182_040_794,
        sha256: "435e94d69a87fde4fd4d7f3dd208dfc32cb6ae8af2240d066de1df7508d083b8"),
      DataFile(
        path: "svhn/test_32x32.mat", bytes: 64_275_384,
        sha256: "cdce80dfb2a2c4c6160906d0bd7c68ec5a99d7ca4831afa54f09182025b6a75b"),
    ])

  public static let synthetic = DataEntry(
    name: .synthetic, summary: "10,000 + 2,000 drawn figures, 10 classes; made on the spot",
    archives: [], files: [])

  /// Mirrors: where the swift-models and MindSpore projects keep their copies.
  private static let swiftModels =
    "https://storage.googleapis.com/s4tf-hosted-binaries/datasets/"
  private static let mindSpore =
    "https://mindspore-website.obs.cn-north-4.myhuaweicloud.com/notebook/datasets/"

  /// SVHN's host is tried by https, then by plain http; the checksum guards both.
  private static func svhnFile(
    _ name: String, bytes: Int, md5: String, sha256: String
  ) -> DataArchive {
    DataArchive(
      fileName: name,
      sources: ["https", "http"].map { "\($0)://ufldl.stanford.edu/housenumbers/\(name)" },
      bytes: bytes, md5: md5, sha256: sha256, content: .file(path: "svhn/\(name)"))
  }
}
